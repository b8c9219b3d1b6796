// What is read ahead is what is in the file, and costs fewer reads.
#include "estafette/store/read_ahead.hpp"

#include <gtest/gtest.h>

namespace estafette::store {
namespace {

class counting_file final : public file {
public:
    error_code write_at(std::uint64_t offset, std::string_view bytes) override {
        content.replace(static_cast<std::size_t>(offset), bytes.size(), bytes);
        return {};
    }

    error_code sync() override { return {}; }

    error_code allocate(std::uint64_t length) override {
        content.resize(static_cast<std::size_t>(length));
        return {};
    }

    result<std::string> read_at(std::uint64_t offset, std::size_t length) const override {
        ++reads;
        longest = std::max(longest, length);
        return offset < content.size() ? content.substr(static_cast<std::size_t>(offset), length)
                                       : std::string{};
    }

    result<std::uint64_t> size() const override { return content.size(); }

    std::string content;
    mutable int reads = 0;
    mutable std::size_t longest = 0;
};

class ReadAhead : public ::testing::Test {
protected:
    static constexpr std::uint64_t length = 1u << 20;

    void SetUp() override {
        for (std::uint64_t i = 0; i < length; ++i) {
            file_.content.push_back(static_cast<char>(i * 2654435761u >> 7));
        }
    }

    void expect_read(std::uint64_t offset, std::size_t size, std::uint64_t end = length) {
        const auto got = ahead_.read(7, file_, offset, size, end);
        ASSERT_TRUE(got);
        EXPECT_EQ(*got, file_.content.substr(static_cast<std::size_t>(offset), size)) << "at " << offset;
    }

    counting_file file_;
    read_ahead ahead_;
};

TEST_F(ReadAhead, bodies_in_a_row_come_with_few_reads) {
    std::uint64_t at = 0;
    for (int i = 0; i < 200; ++i, at += 4200 + 300) {
        expect_read(at, 4200);
    }
    EXPECT_LE(file_.reads, 20);
}

TEST_F(ReadAhead, bodies_here_and_there_are_read_alone) {
    for (std::uint64_t i = 0; i < 100; ++i) {
        expect_read(i * 7919 * 97 % (length - 5000), 4200);
    }
    EXPECT_EQ(file_.reads, 100);
    EXPECT_EQ(file_.longest, 4200u);
}

TEST_F(ReadAhead, large_bodies_are_not_kept) {
    expect_read(0, 300'000);
    expect_read(300'000, 300'000);
    EXPECT_EQ(file_.reads, 2);
}

TEST_F(ReadAhead, what_is_not_written_yet_is_not_remembered) {
    constexpr std::uint64_t end = 12'600;
    expect_read(0, 4200, end);
    expect_read(4200, 4200, end);
    ASSERT_FALSE(file_.write_at(end, std::string(4200, 'n')));
    expect_read(8400, 4200, end + 4200);
    expect_read(12'600, 4200, end + 4200);
    EXPECT_LE(file_.longest, end);
}

TEST_F(ReadAhead, a_segment_that_went_is_forgotten) {
    expect_read(0, 4200);
    expect_read(4200, 4200);
    ahead_.forget(7);
    ASSERT_FALSE(file_.write_at(8400, std::string(4200, 'n')));
    expect_read(8400, 4200);
}

TEST_F(ReadAhead, what_one_segment_has_is_not_given_out_as_another_s) {
    counting_file other;
    other.content = std::string(length, 'o');
    expect_read(0, 4200);
    expect_read(4200, 4200);
    expect_read(8400, 4200);
    for (const std::uint64_t offset : {8400u, 4200u, 0u, 4200u}) {
        const auto got = ahead_.read(8, other, offset, 4200, length);
        ASSERT_TRUE(got);
        EXPECT_EQ(*got, std::string(4200, 'o')) << "at " << offset;
    }
    expect_read(4200, 4200);
}

TEST_F(ReadAhead, the_end_of_the_file_gives_fewer_bytes) {
    expect_read(length - 9000, 4200);
    expect_read(length - 4800, 4200);
    EXPECT_EQ(ahead_.read(7, file_, length - 600, 4200, length)->size(), 600u);
}

}  // namespace
}  // namespace estafette::store
