// How the values of options are read and written: one small type per kind of value, each naming the
// member it belongs to. A value that does not fit is one error line and leaves the member alone.
#pragma once

#include "option.hpp"

#include "estafette/base/text.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace estafette::config {

template <class Pointer> struct pointed;

template <class Object, class Value> struct pointed<Value Object::*> {
    using object = Object;
    using value = Value;
};

// member<&config::store, &store_options::path>: a way from an object to one of its values.
template <auto First, auto... Rest> struct member {
    using object = typename pointed<decltype(First)>::object;

    static auto& of(object& o) { return ((o.*First).*....*Rest); }

    static const auto& of(const object& o) { return ((o.*First).*....*Rest); }
};

// Text as a YAML scalar on one line, quoted where it must be.
[[nodiscard]] std::string quoted(std::string_view text);

// What is wrong with a text, or null. It may put the text into its normal form.
using text_check = const char* (*)(std::string& text);

const char* any_text(std::string& text);
const char* check_domain(std::string& text);         // or empty
const char* check_host(std::string& text);           // name or IP address
const char* check_network(std::string& text);        // IP address, or a network such as 192.0.2.0/24
const char* check_sender(std::string& text);         // mail address, or a domain
const char* check_absolute_path(std::string& text);  // not empty
const char* check_optional_path(std::string& text);  // absolute, or empty
const char* check_file_name(std::string& text);      // any path, or empty
// "127.0.0.1:2424", "[::1]:2424"
[[nodiscard]] bool is_loopback(std::string_view text);

const char* check_required_file_name(std::string& text);
const char* check_pin(std::string& text);  // base64 of 32 bytes, or empty
const char* check_rate(std::string& text);
const char* check_mechanism(std::string& text);

template <class Member, text_check Check = any_text> struct text_value {
    using object = typename Member::object;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (!n.is_scalar())
            return r.errors.add(n, path, "not a text");
        std::string text = n.scalar();
        if (const char* wrong = Check(text))
            return r.errors.add(n, path, wrong);
        Member::of(o) = std::move(text);
    }

    static std::string write(const object& o) { return quoted(Member::of(o)); }
};

template <class Member, text_check Check> struct text_list_value {
    using object = typename Member::object;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (!n.is_sequence())
            return r.errors.add(n, path, "not a list such as [a, b]");
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < n.items().size(); ++i) {
            const yaml::node& item = n.items()[i];
            std::string text = item.scalar();
            const char* wrong = item.is_scalar() ? Check(text) : "not a text";
            if (wrong != nullptr)
                return r.errors.add(item, path + '[' + std::to_string(i) + ']', wrong);
            texts.push_back(std::move(text));
        }
        Member::of(o) = std::move(texts);
    }

    static std::string write(const object& o) {
        std::string out = "[";
        for (const std::string& text : Member::of(o))
            out.append(out.size() > 1 ? ", " : "").append(quoted(text));
        return out + ']';
    }
};

template <class Member, std::uint64_t Least, std::uint64_t Most> struct number_value {
    using object = typename Member::object;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        const auto number = yaml::to_unsigned(n);
        if (!number || *number < Least || *number > Most)
            return r.errors.add(
                n, path, "not a whole number from " + std::to_string(Least) + " to " + std::to_string(Most)
            );
        auto& value = Member::of(o);
        value = static_cast<std::remove_reference_t<decltype(value)>>(*number);
    }

    static std::string write(const object& o) { return std::to_string(Member::of(o)); }
};

// A scalar as a duration within bounds; otherwise an error.
std::optional<milliseconds> read_duration(
    const yaml::node& n, const std::string& path, reading& r, milliseconds least, milliseconds most
);

inline constexpr std::int64_t one_second = 1'000;
inline constexpr std::int64_t one_day = 86'400 * one_second;
inline constexpr std::int64_t ten_years = 3'650 * one_day;

template <class Member, std::int64_t LeastMs, std::int64_t MostMs = ten_years> struct duration_value {
    using object = typename Member::object;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (const auto d = read_duration(n, path, r, milliseconds{LeastMs}, milliseconds{MostMs}))
            Member::of(o) = *d;
    }

    static std::string write(const object& o) { return format_duration(Member::of(o)); }
};

template <class Member> struct size_value {
    using object = typename Member::object;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        const auto bytes = n.is_scalar() ? parse_size(n.scalar()) : result<std::uint64_t>{errc::size_invalid};
        if (!bytes)
            return r.errors.add(n, path, sentence(errc::size_invalid));
        Member::of(o) = *bytes;
    }

    static std::string write(const object& o) { return format_size(Member::of(o)); }
};

template <class Member> struct flag_value {
    using object = typename Member::object;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        const auto flag = yaml::to_bool(n);
        if (!flag)
            return r.errors.add(n, path, "not true or false");
        Member::of(o) = *flag;
    }

    static std::string write(const object& o) { return Member::of(o) ? "true" : "false"; }
};

// Words: an array of pairs of the word and its value.
template <class Member, const auto& Words> struct choice_value {
    using object = typename Member::object;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        std::string all;
        for (const auto& [word, value] : Words) {
            if (n.is_scalar() && n.scalar() == word) {
                Member::of(o) = value;
                return;
            }
            all.append(all.empty() ? "" : ", ").append(word);
        }
        r.errors.add(n, path, "not one of " + all);
    }

    static std::string write(const object& o) {
        for (const auto& [word, value] : Words) {
            if (value == Member::of(o))
                return std::string{word};
        }
        return quoted("");
    }
};

template <class Value>
constexpr option<typename Value::object>
row(std::string_view path, std::string_view help, applies when = applies::on_reload) {
    return {path, &Value::read, &Value::write, help, when};
}

}  // namespace estafette::config
