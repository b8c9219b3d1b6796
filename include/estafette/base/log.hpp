// The log: events, not prose. One event is one logfmt line, "event=attempt id=… phase=dot code=250 ms=213",
// or one journal entry with the same line and a field per key (ESTAFETTE_PHASE=dot).
//
// Text from outside is made printable here, so nobody can forge a line; secrets are the caller's
// business: never pass one. An event whose level is off costs one comparison. Nothing is written before
// configure(). Floors 0 to 3 do not log. Any thread; the sink is the program's only shared mutable object.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace estafette::log {

enum class level : std::uint8_t { debug, info, warning, error };

[[nodiscard]] std::string_view to_text(level l) noexcept;

// "debug", "info", "warning", "error"; info for anything else (config has checked it).
[[nodiscard]] level parse_level(std::string_view text) noexcept;

enum class target : std::uint8_t {
    automatic,  // the journal if stderr goes there (systemd says so in JOURNAL_STREAM), else stderr
    standard_error,
    journal,
};

// A key (a-z, 0-9, _) and a value. It holds views: it lives no longer than the call of event().
class field {
public:
    field(std::string_view key, std::string_view value)
        : key_{key}
        , value_{value} {}

    field(std::string_view key, const char* value)
        : field{key, std::string_view{value}} {}

    field(std::string_view key, const std::string& value)
        : field{key, std::string_view{value}} {}

    field(std::string_view key, std::same_as<bool> auto value)
        : field{key, value ? std::string_view{"true"} : std::string_view{"false"}} {}

    field(std::string_view key, std::signed_integral auto value)
        : key_{key}
        , value_{static_cast<std::int64_t>(value)} {}

    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    field(std::string_view key, T value)
        : key_{key}
        , value_{static_cast<std::uint64_t>(value)} {}

    // In whole milliseconds, without the unit: the key says it ("ms").
    template <class Rep, class Period>
    field(std::string_view key, std::chrono::duration<Rep, Period> value)
        : key_{key}
        , value_{static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(value).count(
          ))} {}

    // A person's mail address: shortened to a hash where the operator wants that (log.redact_addresses).
    [[nodiscard]] static field address(std::string_view key, std::string_view value) {
        field f{key, value};
        f.is_address_ = true;
        return f;
    }

    [[nodiscard]] std::string_view key() const noexcept { return key_; }

    [[nodiscard]] bool is_address() const noexcept { return is_address_; }

    [[nodiscard]] std::string text() const;

private:
    std::string_view key_;
    std::variant<std::string_view, std::int64_t, std::uint64_t> value_;
    bool is_address_ = false;
};

struct options {
    level least = level::info;
    target to = target::automatic;
    bool redact_addresses = false;
    std::string program = "estafetted";  // SYSLOG_IDENTIFIER
    std::string journal_socket = "/run/systemd/journal/socket";
};

// Opens the sink, or changes it (reload). Where the journal cannot be reached, stderr takes its place.
void configure(const options& o);

[[nodiscard]] bool is_on(level l) noexcept;

// Writes the event. `catalogue_id` is the journal's MESSAGE_ID (32 hexadecimal digits), or empty.
void event(
    level l,
    std::string_view name,
    std::initializer_list<field> fields = {},
    std::string_view catalogue_id = {}
);

// Events that the journal did not take (it was full or away) since the start.
[[nodiscard]] std::uint64_t dropped() noexcept;

// For tests: keeps the lines, of every level, as long as it lives; then the former sink is back.
class capture {
public:
    capture();
    ~capture();
    capture(const capture&) = delete;
    capture& operator=(const capture&) = delete;

    [[nodiscard]] std::vector<std::string> lines() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace estafette::log
