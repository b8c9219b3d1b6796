#include "estafette/base/ids.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

namespace estafette {
namespace {

constexpr std::string_view example = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";  // RFC 9562, appendix A.6

message_id id_of(std::string_view text) {
    return message_id::parse(text).value();
}

TEST(message_id, is_made_as_the_example_of_rfc_9562) {
    const auto at = parse_rfc3339("2022-02-22T14:22:22-05:00").value();
    const message_id id = message_id::make(at, {0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F});
    EXPECT_EQ(id.text(), example);
}

TEST(message_id, carries_version_and_variant_whatever_the_random_bytes_are) {
    for (const std::uint8_t fill : std::initializer_list<std::uint8_t>{0x00, 0xFF}) {
        std::array<std::uint8_t, 10> random{};
        random.fill(fill);
        const auto text = message_id::make(from_unix_ms(0), random).text();
        EXPECT_EQ(text[14], '7') << text;
        EXPECT_TRUE(text[19] == '8' || text[19] == 'b') << text;
    }
}

TEST(message_id, sorts_by_time) {
    EXPECT_LT(message_id::make(from_unix_ms(1'000), {0xFF, 0xFF}), message_id::make(from_unix_ms(1'001), {}));
}

TEST(message_id, reads_either_case_and_writes_lower_case) {
    EXPECT_EQ(id_of("017F22E2-79B0-7CC3-98C4-DC0C0C07398F").text(), example);
}

TEST(message_id, refuses_what_is_not_the_canonical_form) {
    for (const std::string_view bad : {
             "",
             "017f22e279b07cc398c4dc0c0c07398f",
             "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
             "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
             "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
             "017f22e2x79b0-7cc3-98c4-dc0c0c07398f",
             "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
             "017f22e2-79b0-7cc3-98c4-dc0c0c0739 f",
         })
        EXPECT_EQ(message_id::parse(bad).error(), errc::id_invalid) << bad;
}

TEST(message_id, is_null_only_when_made_from_nothing) {
    EXPECT_TRUE(message_id{}.is_null());
    EXPECT_FALSE(id_of(example).is_null());
}

TEST(recipient_id, reads_what_it_writes) {
    for (const std::uint32_t index : {0u, 7u, 4294967295u}) {
        const recipient_id id{id_of(example), index};
        EXPECT_EQ(recipient_id::parse(id.text()).value(), id);
    }
    EXPECT_EQ((recipient_id{id_of(example), 3}).text(), std::string{example} + ".3");
}

TEST(recipient_id, refuses_an_index_that_is_not_a_plain_number) {
    for (const std::string_view bad : {"", ".", ".-1", ".+1", ".01", ".4294967296", ".1 ", ".x", "/1"})
        EXPECT_EQ(recipient_id::parse(std::string{example} + std::string{bad}).error(), errc::id_invalid)
            << bad;
    EXPECT_EQ(recipient_id::parse("017f22e2.1").error(), errc::id_invalid);
}

TEST(ids, are_distinct_as_hash_keys) {
    std::unordered_set<recipient_id> seen;
    for (std::uint32_t i = 0; i < 1000; ++i)
        seen.insert({id_of(example), i});
    EXPECT_EQ(seen.size(), 1000u);
    EXPECT_NE(
        std::hash<message_id>{}(message_id::make(from_unix_ms(1), {})),
        std::hash<message_id>{}(message_id::make(from_unix_ms(2), {}))
    );
}

TEST(default_tenant, is_named_default) {
    EXPECT_EQ(default_tenant(), tenant_id{"default"});
}

}  // namespace
}  // namespace estafette
