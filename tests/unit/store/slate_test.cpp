#include "support/temporary_folder.hpp"

#include "estafette/store/slate.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

namespace estafette::store {
namespace {

recipient_id recipient(std::uint8_t message, std::uint32_t index) {
    return {message_id{message_id::bytes_type{message}}, index};
}

using ids = std::vector<recipient_id>;

class a_slate : public testing::Test {
protected:
    [[nodiscard]] slate open(std::size_t slots = 4) {
        auto opened = slate::open(folder.path("slate"), slots);
        EXPECT_TRUE(opened.has_value());
        return std::move(*opened);
    }

    // Runs `life` in another process, which is killed at its end.
    template <class Life> void in_a_process_that_is_killed(Life life) {
        const pid_t child = ::fork();
        if (child == 0) {
            life();
            ::kill(::getpid(), SIGKILL);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status));
    }

    test::temporary_folder folder;
};

TEST_F(a_slate, is_empty_when_new) {
    EXPECT_EQ(open().in_doubt(), ids{});
}

TEST_F(a_slate, lists_what_was_marked_and_not_cleared_when_the_process_was_killed) {
    in_a_process_that_is_killed([this] {
        slate s = open();
        auto a = s.take(), b = s.take(), c = s.take();
        const ids first{recipient(1, 0)}, second{recipient(2, 0), recipient(2, 7)}, third{recipient(3, 0)};
        a.mark(first);
        a.clear();
        b.mark(second);
        c.mark(first);
        c.mark(third);
        ::kill(::getpid(), SIGKILL);
    });
    EXPECT_EQ(open().in_doubt(), (ids{recipient(2, 0), recipient(2, 7), recipient(3, 0)}));
}

TEST_F(a_slate, keeps_old_marks_until_they_are_forgotten_whatever_is_marked_meanwhile) {
    {
        slate s = open(2);
        auto a = s.take();
        const ids marked{recipient(1, 0)};
        a.mark(marked);
    }
    {
        slate s = open(2);
        auto only_free_one = s.take();
        EXPECT_TRUE(s.is_exhausted());
        const ids marked{recipient(2, 0)};
        only_free_one.mark(marked);
    }
    slate s = open(2);
    EXPECT_EQ(s.in_doubt(), (ids{recipient(1, 0), recipient(2, 0)}));
    s.forget();
    EXPECT_EQ(s.in_doubt(), ids{});
    EXPECT_FALSE(s.is_exhausted());
    EXPECT_EQ(open(2).in_doubt(), ids{});
}

TEST_F(a_slate, stands_for_all_recipients_where_there_are_too_many_for_a_slot) {
    {
        slate s = open();
        auto a = s.take();
        ids many;
        for (std::uint32_t i = 0; i < 124; ++i) {
            many.push_back(recipient(9, i));
        }
        a.mark(many);
    }
    EXPECT_EQ(open().in_doubt(), (ids{recipient(9, slate::all_recipients)}));
}

TEST_F(a_slate, grows_with_the_number_of_connections_and_never_shrinks) {
    {
        slate s = open(2);
        auto a = s.take(), b = s.take();
        const ids marked{recipient(1, 0)};
        b.mark(marked);
    }
    {
        slate s = open(5);
        EXPECT_EQ(s.in_doubt(), ids{recipient(1, 0)});
        auto a = s.take(), b = s.take(), c = s.take(), d = s.take();
        EXPECT_TRUE(s.is_exhausted());
        const ids marked{recipient(2, 0)};
        a.mark(marked);
        b.mark(marked);
    }
    EXPECT_EQ(open(1).in_doubt(), (ids{recipient(1, 0), recipient(2, 0)}));
}

TEST_F(a_slate, gives_a_place_back_with_its_slot) {
    slate s = slate::in_memory(1);
    {
        auto a = s.take();
        const ids marked{recipient(1, 0)};
        a.mark(marked);
        a.clear();
        EXPECT_TRUE(s.is_exhausted());
    }
    EXPECT_FALSE(s.is_exhausted());
}

TEST_F(a_slate, marks_nothing_in_a_slot_beyond_the_last_place) {
    slate s = slate::in_memory(0);
    auto none = s.take();
    const ids marked{recipient(1, 0)};
    none.mark(marked);
    none.clear();
    EXPECT_TRUE(s.is_exhausted());
}

TEST_F(a_slate, begins_anew_where_the_power_went_before_its_header_was_written) {
    std::ofstream{folder.path("slate")} << std::string(8192, '\0');
    EXPECT_EQ(open().in_doubt(), ids{});
}

TEST_F(a_slate, refuses_what_is_not_a_slate) {
    std::ofstream{folder.path("slate")} << "something else entirely";
    EXPECT_EQ(slate::open(folder.path("slate"), 4).error(), errc::store_damaged);
    EXPECT_EQ(slate::open(folder.path("no/such/folder"), 4).error(), errc::io);
}

}  // namespace
}  // namespace estafette::store
