#include "estafette/base/metrics.hpp"
#include "estafette/store/change.hpp"

#include <gtest/gtest.h>

namespace estafette::store {
namespace {

TEST(labels, of_the_queue_s_metrics_are_the_words_of_the_states) {
    static_assert(labels::states.values.size() == state_count);
    for (std::size_t i = 0; i < state_count; ++i) {
        EXPECT_EQ(labels::states.values[i], to_text(static_cast<state>(i)));
    }
}

}  // namespace
}  // namespace estafette::store
