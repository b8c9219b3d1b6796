#include "allocations.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <thread>

namespace {

thread_local std::uint64_t made = 0;

void* allocate(std::size_t size) {
    ++made;
    if (void* p = std::malloc(size)) {
        return p;
    }
    throw std::bad_alloc{};
}

void* allocate(std::size_t size, std::size_t alignment) {
    ++made;
    if (void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)) {
        return p;
    }
    throw std::bad_alloc{};
}

// A compiler may leave out an allocation that nobody looks at.
template <class T> void look_at(const T& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

}  // namespace

void* operator new(std::size_t size) {
    return allocate(size);
}

void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}

void operator delete(void* p) noexcept {
    std::free(p);
}

void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}

void operator delete(void* p, std::align_val_t) noexcept {
    std::free(p);
}

void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
    std::free(p);
}

namespace counted {

std::uint64_t allocations() noexcept {
    return made;
}

// Otherwise the other tests here could not fail.
TEST(Allocations, AreCountedForTheirThread) {
    const auto before = allocations();
    const auto text = std::make_unique<std::string>(100, 'x');
    look_at(*text);
    EXPECT_EQ(allocations() - before, 2u);
    std::uint64_t elsewhere = 0;
    std::thread{[&] {
        const auto before_there = allocations();
        const std::string more(text->size(), 'y');
        look_at(more);
        elsewhere = allocations() - before_there;
    }}.join();
    EXPECT_EQ(elsewhere, 1u);
}

}  // namespace counted
