#include "estafette/base/metrics.hpp"
#include "estafette/smtp/phase.hpp"
#include "estafette/verdict/verdict.hpp"

#include <gtest/gtest.h>

namespace estafette {
namespace {

TEST(metric_labels, repeat_the_words_of_verdicts_and_phases) {
    static_assert(labels::reasons.values.size() == verdict::reason_count);
    static_assert(labels::phases.values.size() == smtp::phase_count);
    for (std::size_t i = 0; i < verdict::reason_count; ++i)
        EXPECT_EQ(labels::reasons.values[i], verdict::to_text(static_cast<verdict::reason>(i)));
    for (std::size_t i = 0; i < smtp::phase_count; ++i)
        EXPECT_EQ(labels::phases.values[i], smtp::label(static_cast<smtp::phase>(i)));
    for (std::size_t i = 0; i < labels::dispositions.values.size(); ++i)
        EXPECT_EQ(labels::dispositions.values[i], verdict::to_text(static_cast<verdict::disposition>(i)));
}

}  // namespace
}  // namespace estafette
