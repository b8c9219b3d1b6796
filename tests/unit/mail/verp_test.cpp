#include "estafette/base/text.hpp"
#include "estafette/mail/verp.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace estafette::mail {
namespace {

const recipient_id ann{*message_id::parse("01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c"), 3};

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
    return text;
}

TEST(verp, an_address_stays_what_it_is) {
    // Bounces come back weeks later: what was sent once must be read by every later version.
    EXPECT_EQ(
        verp_keys{{"secret"}}.local_part(ann), "bounce+aglxuhs5pr6t5d2sdrwr6kz2jqaagb7oug6poefpb4vfakqb"
    );
}

TEST(verp, a_local_part_fits_an_address_and_names_its_recipient_in_any_case) {
    const verp_keys keys{{"secret"}};
    const auto local = keys.local_part(ann);
    ASSERT_TRUE(local);
    EXPECT_LE(local->size(), 64u);
    EXPECT_EQ(ascii_lower(*local), *local);
    EXPECT_EQ(keys.verify(*local), ann);
    EXPECT_EQ(keys.verify(upper(*local)), ann);
}

RC_GTEST_PROP(
    verp, every_recipient_comes_back, (const std::array<std::uint8_t, 16>& id, std::uint16_t place)
) {
    const verp_keys keys{{"a secret"}};
    const recipient_id who{message_id{id}, place};
    RC_ASSERT(keys.verify(*keys.local_part(who)) == who);
}

TEST(verp, no_changed_character_is_taken) {
    const verp_keys keys{{"secret"}};
    const std::string good = *keys.local_part(ann);
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char c : std::string_view{"ab7+ \n"}) {
            std::string bad = good;
            bad[i] = c;
            if (bad != good) {
                EXPECT_FALSE(keys.verify(bad)) << bad;
            }
        }
        EXPECT_FALSE(keys.verify(good.substr(0, i)));
    }
    EXPECT_FALSE(keys.verify(good + "a"));
}

TEST(verp, the_first_secret_signs_and_all_verify) {
    const std::string before = *verp_keys{{"old"}}.local_part(ann);
    const verp_keys rotated{{"new", "old"}};
    EXPECT_NE(rotated.local_part(ann), before);
    EXPECT_EQ(rotated.verify(before), ann);
    EXPECT_EQ(rotated.verify(*rotated.local_part(ann)), ann);
    EXPECT_FALSE(verp_keys{{"new"}}.verify(before));
}

TEST(verp, nothing_is_signed_without_a_secret_or_for_a_place_that_does_not_fit) {
    EXPECT_FALSE(verp_keys{}.local_part(ann));
    EXPECT_FALSE(verp_keys{}.verify(*verp_keys{{"secret"}}.local_part(ann)));
    EXPECT_FALSE(verp_keys{{"secret"}}.local_part({ann.message, 0x10000}));
}

TEST(verp, is_found_anywhere_in_a_text) {
    const verp_keys keys{{"secret"}};
    const std::string good = *keys.local_part(ann);
    const std::string forged = *verp_keys{{"theirs"}}.local_part(ann);
    EXPECT_EQ(find_verp("To: <" + good + "@b.example>\r\n", keys).who, ann);
    EXPECT_EQ(find_verp("+ + bounce+ x+y " + upper(good), keys).who, ann);
    EXPECT_EQ(find_verp(good, keys).who, ann);
    EXPECT_EQ(find_verp(forged + " " + good, keys).who, ann);
    EXPECT_FALSE(find_verp(forged + " " + good, keys).is_forged);
    EXPECT_TRUE(find_verp("To: " + forged + "@b.example", keys).is_forged);
    EXPECT_FALSE(find_verp("To: bounce+short@b.example", keys).is_forged);
    EXPECT_FALSE(find_verp("", keys).who);
}

TEST(verp, a_text_full_of_forgeries_is_not_searched_to_its_end) {
    const verp_keys keys{{"secret"}};
    std::string text;
    for (std::uint32_t i = 0; i < 100; ++i) {
        text += *verp_keys{{"theirs"}}.local_part({ann.message, i}) + " ";
    }
    text += *keys.local_part(ann);
    const auto found = find_verp(text, keys);
    EXPECT_FALSE(found.who);
    EXPECT_TRUE(found.is_forged);
}

}  // namespace
}  // namespace estafette::mail
