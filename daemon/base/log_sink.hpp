// Where an event goes: stderr, the journal, or a test's memory. Private to log.cpp and its tests.
#pragma once

#include "estafette/base/log.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace estafette::log {

// An event made text: values are printable, addresses redacted where wanted.
struct entry {
    level importance = level::info;
    std::string_view name;
    std::string_view catalogue_id;
    std::vector<std::pair<std::string_view, std::string>> fields;

    [[nodiscard]] std::string line() const;  // logfmt
};

class sink {
public:
    virtual ~sink() = default;
    // False if the entry was lost.
    virtual bool write(const entry& e) = 0;
};

// By spdlog, with the time in front.
[[nodiscard]] std::unique_ptr<sink> open_standard_error();

// By datagrams to the journal's socket; nullptr if it cannot be reached.
[[nodiscard]] std::unique_ptr<sink> open_journal(const std::string& socket, const std::string& program);

// True if file descriptor 2 is the journal's stream.
[[nodiscard]] bool is_standard_error_the_journal();

// The journal's native form of an entry: KEY=value lines.
[[nodiscard]] std::string journal_datagram(const entry& e, const std::string& program);

}  // namespace estafette::log
