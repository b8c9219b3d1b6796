// What metrics are made of: counters, gauges, histograms, and sets of them by label or route.
//
// Single cells take relaxed updates from any thread; by_route is the loop's only. They know neither
// names nor output: metrics.hpp does. Buckets and labels are part of the type, so that a cell is only
// its numbers.
#pragma once

#include "estafette/base/ids.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string_view>

namespace estafette {

class counter {
public:
    void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }

    // For a count that is kept elsewhere and copied before rendering.
    void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }

    [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class gauge {
public:
    template <class Number> void set(Number v) noexcept {
        value_.store(static_cast<double>(v), std::memory_order_relaxed);
    }

    template <class Number> void add(Number v) noexcept {
        value_.fetch_add(static_cast<double>(v), std::memory_order_relaxed);
    }

    [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

// Bounds: upper ends of the buckets in seconds, growing.
template <const auto& Bounds> class histogram {
public:
    static constexpr const auto& bounds = Bounds;

    void observe(std::chrono::nanoseconds d) noexcept {
        const double seconds = std::chrono::duration<double>(d).count();
        std::size_t i = 0;
        while (i < Bounds.size() && seconds > Bounds[i])
            ++i;
        cells_[i].fetch_add(1, std::memory_order_relaxed);
        sum_.fetch_add(d.count(), std::memory_order_relaxed);
    }

    [[nodiscard]] std::uint64_t cell(std::size_t i) const noexcept {
        return cells_[i].load(std::memory_order_relaxed);
    }

    [[nodiscard]] double sum() const noexcept {
        return std::chrono::duration<double>(std::chrono::nanoseconds{sum_.load(std::memory_order_relaxed)})
            .count();
    }

private:
    std::array<std::atomic<std::uint64_t>, Bounds.size() + 1> cells_{};
    std::atomic<std::int64_t> sum_{0};
};

// A label and all its values. Each set repeats, in the same order, the words of an enum; where that enum
// belongs to a higher floor, a test of that floor compares.
template <std::size_t Count> struct label_set {
    std::string_view key;
    std::array<std::string_view, Count> values;
};

// One cell per value of the label: `attempts[disposition::retry][reason::timeout].add()`.
template <class Cell, const auto& Label> class by {
public:
    static constexpr const auto& label = Label;

    template <class Enum> [[nodiscard]] Cell& operator[](Enum e) noexcept {
        return cells_[static_cast<std::size_t>(e)];
    }

    template <class Enum> [[nodiscard]] const Cell& operator[](Enum e) const noexcept {
        return cells_[static_cast<std::size_t>(e)];
    }

private:
    std::array<Cell, Label.values.size()> cells_{};
};

// One cell per route, made when first named. The loop's only.
template <class Cell> class by_route {
public:
    [[nodiscard]] Cell& operator[](const route_id& id) { return cells_[id]; }

    void erase(const route_id& id) { cells_.erase(id); }

    [[nodiscard]] const std::map<route_id, Cell>& cells() const noexcept { return cells_; }

private:
    std::map<route_id, Cell> cells_;
};

}  // namespace estafette
