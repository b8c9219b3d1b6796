// The option table's type, and what walks it: reading, printing, comparing. A table is an array of
// option<Object>; a path has one or two words ("helo", "tls.mode").
#pragma once

#include "profile.hpp"

#include "estafette/base/yaml.hpp"
#include "estafette/config/config.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::config {

// What the reading of one option may need besides its node.
struct reading {
    const machine& host;
    const profile_set& profiles;
    yaml::errors errors;
};

enum class applies : std::uint8_t { on_reload, on_restart };

template <class Object> struct option {
    std::string_view path;
    void (*read)(const yaml::node& n, const std::string& path, Object& o, reading& r);
    std::string (*write)(const Object& o);  // YAML on one line; null for relay, tenants, server: walked into
    std::string_view help;
    applies when = applies::on_reload;
    std::string_view since = "0.1";
};

template <class Object> using table = std::span<const option<Object>>;

// The first word of a path below `section`, or nothing if the path is not below it.
inline std::string_view word_below(std::string_view path, std::string_view section) noexcept {
    if (!section.empty()) {
        if (path.size() <= section.size() || !path.starts_with(section) || path[section.size()] != '.')
            return {};
        path.remove_prefix(section.size() + 1);
    }
    return path.substr(0, path.find('.'));
}

// Reads a map by the table. `at` is where the table's root stands in the file ("tenants.acme.server").
template <class Object>
void read_table(
    const yaml::node& map,
    const std::string& at,
    table<Object> options,
    Object& object,
    reading& r,
    const std::string& section = {}
) {
    const std::string here = section.empty() ? at : yaml::join(at, section);
    if (map.is_null())
        return;
    if (!map.is_map())
        return r.errors.add(map, here, "not a section of keys and values");
    std::vector<std::string_view> known;
    for (const auto& o : options) {
        const std::string_view word = word_below(o.path, section);
        if (!word.empty() && (known.empty() || known.back() != word))
            known.push_back(word);
    }
    r.errors.add_unknown_keys(map, here, known);
    for (const yaml::member& m : map.members()) {
        if (std::find(known.begin(), known.end(), m.key) == known.end())
            continue;
        const std::string path = yaml::join(section, m.key);
        const auto found = std::find_if(options.begin(), options.end(), [&](const option<Object>& o) {
            return o.path == path;
        });
        if (found == options.end())
            read_table(m.value, at, options, object, r, path);
        else if (m.value.is_null() && found->write != nullptr)
            r.errors.add(m.value, yaml::join(at, path), "has no value");
        else
            found->read(m.value, yaml::join(at, path), object, r);
    }
}

// How options are printed: with or without help, behind "#" or not.
struct page {
    enum class style : std::uint8_t { reference, values } look;
    std::string text;

    void line(std::size_t depth, std::string_view content);
    void help(std::string_view sentences, std::string_view since);
};

template <class Object>
void print_row(page& p, const Object& object, table<Object> options, std::size_t i, std::size_t depth) {
    const option<Object>& o = options[i];
    const std::size_t dot = o.path.find('.');
    const std::string_view section = dot == std::string_view::npos ? "" : o.path.substr(0, dot);
    const bool is_first = i == 0 || word_below(options[i - 1].path, section).empty();
    if (!section.empty() && is_first)
        p.line(depth, std::string{section} + ':');
    p.help(o.help, o.since);
    const std::string_view key = section.empty() ? o.path : o.path.substr(dot + 1);
    if (o.write != nullptr)
        p.line(depth + (section.empty() ? 0 : 1), std::string{key} + ": " + o.write(object));
}

// path → value and when it applies: what differences() compares.
struct printed_value {
    std::string value;
    applies when;
};

using flat = std::map<std::string, printed_value>;

template <class Object>
void flatten(const Object& object, const std::string& at, table<Object> options, flat& out) {
    for (const auto& o : options) {
        if (o.write != nullptr)
            out.emplace(yaml::join(at, o.path), printed_value{o.write(object), o.when});
    }
}

}  // namespace estafette::config
