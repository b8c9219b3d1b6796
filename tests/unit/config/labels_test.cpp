#include "estafette/base/metrics.hpp"
#include "estafette/verdict/verdict.hpp"

#include <gtest/gtest.h>

namespace estafette {
namespace {

TEST(metric_labels, repeat_the_words_of_verdicts) {
    static_assert(labels::reasons.values.size() == verdict::reason_count);
    for (std::size_t i = 0; i < verdict::reason_count; ++i)
        EXPECT_EQ(labels::reasons.values[i], verdict::to_text(static_cast<verdict::reason>(i)));
    for (std::size_t i = 0; i < labels::dispositions.values.size(); ++i)
        EXPECT_EQ(labels::dispositions.values[i], verdict::to_text(static_cast<verdict::disposition>(i)));
}

}  // namespace
}  // namespace estafette
