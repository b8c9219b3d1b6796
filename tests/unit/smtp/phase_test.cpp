#include "estafette/smtp/phase.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace estafette::smtp {
namespace {

TEST(phases, each_have_words_a_label_and_a_limit) {
    std::set<std::string_view> labels, said;
    for (std::size_t i = 0; i < phase_count; ++i) {
        const auto p = static_cast<phase>(i);
        EXPECT_TRUE(labels.insert(label(p)).second) << label(p);
        EXPECT_TRUE(said.insert(words(p)).second) << words(p);
        EXPECT_GT(default_timeout(p), milliseconds{0});
    }
}

TEST(phases, after_the_dot_the_wait_is_long_and_the_risk_is_named) {
    EXPECT_EQ(default_timeout(phase::dot), std::chrono::minutes{10});
    EXPECT_EQ(words(phase::dot), "sending end of data; the message may be sent twice");
}

TEST(phase_timeouts, start_from_the_defaults_and_can_be_set_one_by_one) {
    phase_timeouts limits;
    EXPECT_EQ(limits[phase::mail], default_timeout(phase::mail));
    limits.set(phase::mail, seconds{1});
    EXPECT_EQ(limits[phase::mail], seconds{1});
    EXPECT_EQ(limits[phase::rcpt], default_timeout(phase::rcpt));
}

}  // namespace
}  // namespace estafette::smtp
