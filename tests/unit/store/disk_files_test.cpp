#include "support/temporary_folder.hpp"

#include "estafette/store/file_layer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <deque>

namespace estafette::store {
namespace {

// Until the end of its life the process has no descriptor left.
class no_descriptor_left {
public:
    no_descriptor_left() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit few = before_;
        few.rlim_cur = 100;
        ::setrlimit(RLIMIT_NOFILE, &few);
        for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
            taken_.push_back(fd);
        }
    }

    ~no_descriptor_left() {
        for (const int fd : taken_) {
            ::close(fd);
        }
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

    no_descriptor_left(const no_descriptor_left&) = delete;
    no_descriptor_left& operator=(const no_descriptor_left&) = delete;

private:
    rlimit before_{};
    std::vector<int> taken_;
};

TEST(disk_files, makes_files_and_syncs_folders_when_others_have_taken_every_descriptor) {
    const estafette::test::temporary_folder folder;
    const auto files = make_disk_files();
    // Once before: UBSan wants a pipe when it first sees a type.
    ASSERT_TRUE(files->create(folder.path("first")).has_value());
    ASSERT_FALSE(files->sync_folder(folder.path(".")));
    const no_descriptor_left now;
    ASSERT_LT(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    std::deque<std::unique_ptr<file>> kept;
    for (int n = 0; n < 50; ++n) {
        auto made = files->create(folder.path("segment" + std::to_string(n)));
        ASSERT_TRUE(made.has_value()) << n << ": " << made.error().message();
        kept.push_back(std::move(*made));
        ASSERT_FALSE(files->sync_folder(folder.path("."))) << n;
        if (kept.size() > 3) {
            kept.pop_front();
        }
    }
    ASSERT_LT(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0) << "a descriptor was free for others meanwhile";
}

TEST(disk_files, leaves_no_descriptor_behind) {
    const auto next = [] {
        const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(fd);
        return fd;
    };
    const estafette::test::temporary_folder folder;
    const int before = next();
    {
        const auto files = make_disk_files();
        for (int n = 0; n < 20; ++n) {
            (void)files->create(folder.path("file"));
            (void)files->sync_folder(folder.path("."));
        }
    }
    EXPECT_EQ(next(), before);
}

}  // namespace
}  // namespace estafette::store
