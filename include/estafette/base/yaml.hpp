// The strict YAML reader behind configuration, rules, profiles and catalogues: text in, an immutable
// tree out, each node with its file, line and column (from 1).
//
// Refused, with the place: more than one document, duplicate keys, keys that are not scalars, tags,
// control characters, invalid UTF-8, and whatever exceeds the limits (so aliases cannot explode).
// yaml-cpp is included in yaml.cpp and nowhere else. It reads no files. Any thread.
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::yaml {

enum class kind : std::uint8_t { null, scalar, sequence, map };

struct member;

class node {
public:
    node() = default;  // null, of no file

    [[nodiscard]] kind what() const noexcept { return kind_; }

    [[nodiscard]] bool is_null() const noexcept { return kind_ == kind::null; }

    [[nodiscard]] bool is_scalar() const noexcept { return kind_ == kind::scalar; }

    [[nodiscard]] bool is_sequence() const noexcept { return kind_ == kind::sequence; }

    [[nodiscard]] bool is_map() const noexcept { return kind_ == kind::map; }

    // The scalar's text, as written or as unquoted; empty for the other kinds.
    [[nodiscard]] const std::string& scalar() const noexcept { return scalar_; }

    // Quoted or a block ("…", '…', | or >): then it is text, whatever it looks like.
    [[nodiscard]] bool is_quoted() const noexcept { return is_quoted_; }

    // Of a sequence, else empty.
    [[nodiscard]] const std::vector<node>& items() const noexcept { return items_; }

    // Of a map, in the order of the file, else empty.
    [[nodiscard]] const std::vector<member>& members() const noexcept { return members_; }

    // The value of the key, or nullptr.
    [[nodiscard]] const node* find(std::string_view key) const noexcept;

    [[nodiscard]] const std::string& file() const noexcept;

    [[nodiscard]] std::uint32_t line() const noexcept { return line_; }

    [[nodiscard]] std::uint32_t column() const noexcept { return column_; }

private:
    friend class tree_builder;
    friend node merged(const node& below, const node& above);

    kind kind_ = kind::null;
    bool is_quoted_ = false;
    std::uint32_t line_ = 0;
    std::uint32_t column_ = 0;
    std::shared_ptr<const std::string> file_;
    std::string scalar_;
    std::vector<node> items_;
    std::vector<member> members_;
};

struct member {
    std::string key;
    node place;  // where the key stands (a scalar); for errors about the key itself
    node value;
};

struct limits {
    std::size_t bytes = 1u << 20;
    std::size_t depth = 24;
    std::size_t nodes = 100'000;  // aliases count as what they stand for
    std::size_t aliases = 1'000;
};

// The error is one line: "FILE:LINE: not valid YAML at column 7: …". `name` stands for the file.
[[nodiscard]] boost::system::result<node, std::string>
parse(std::string_view text, const std::string& name, const limits& bounds = {});

// Maps merge key by key, anything else is replaced by what is above; null above a map changes nothing.
[[nodiscard]] node merged(const node& below, const node& above);

// Scalars as values; none if the text is something else. Quoted text is no number and no truth value.
[[nodiscard]] std::optional<bool> to_bool(const node& n) noexcept;  // true, false
[[nodiscard]] std::optional<std::uint64_t> to_unsigned(const node& n) noexcept;
[[nodiscard]] std::optional<double> to_double(const node& n) noexcept;  // finite

// Collects complaints as lines, each at most once: file by file as first complained of, by line number.
class errors {
public:
    // "FILE:LINE: PATH: what", without the path if it is empty.
    void add(const node& where, std::string_view path, std::string_view what);

    // A line that is complete, such as parse()'s error.
    void add(std::string line);

    // For every key of the map that is not known: "FILE:LINE: unknown key PATH.key; nearest: PATH.other".
    void add_unknown_keys(const node& map, std::string_view path, std::span<const std::string_view> known);

    [[nodiscard]] bool empty() const noexcept { return lines_.empty(); }

    [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

    [[nodiscard]] std::vector<std::string> take() { return std::move(lines_); }

private:
    struct place {
        std::string file;
        std::uint32_t line = 0;
    };

    void insert(std::size_t at, place where, std::string line);

    std::vector<std::string> lines_;
    std::vector<place> places_;  // of each line
};

// "store" + "path" → "store.path"; "" + "store" → "store".
[[nodiscard]] std::string join(std::string_view path, std::string_view key);

}  // namespace estafette::yaml
