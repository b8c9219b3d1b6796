// Reports that people were meant to read: addresses and reasons found in text. Private to the reader.
#pragma once

#include "dsn_parts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace estafette::mail::dsn {

// The addresses in a text, in order, each with its place.
struct found_address {
    std::string address;
    std::size_t begin = 0, end = 0;
};

[[nodiscard]] std::vector<found_address> find_addresses(std::string_view text);

// "5.1.1" where the text names a status, else empty.
[[nodiscard]] std::string find_status(std::string_view text);

// Whether a reply begins here: three digits from 400 to 599, then a blank, '-' or the end.
[[nodiscard]] bool is_reply(std::string_view text) noexcept;

// Where the returned mail begins in a text that has it appended; the text's size where it has not.
[[nodiscard]] std::size_t end_of_notice(std::string_view text) noexcept;

// Recipients of a report in words. `ours` are addresses that cannot be meant: the reporting postmaster
// and the one who gets the report.
[[nodiscard]] std::vector<reported_recipient>
read_notice(std::string_view text, const std::vector<std::string>& ours, const report_limits& limits);

// A recipient named by its local part alone, or empty.
[[nodiscard]] std::string lone_local_part(std::string_view text);

// What a notice in words says of this address: for reports whose diagnostic says nothing.
[[nodiscard]] std::string words_about(std::string_view text, std::string_view address);

}  // namespace estafette::mail::dsn
