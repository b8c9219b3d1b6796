#include "estafette/api/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <cmath>
#include <set>
#include <vector>

namespace estafette::api {
namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 32;
constexpr std::size_t max_values = 200'000;

// What the parser reports becomes a value; a key that comes twice in one object, or too many values, stop it.
class builder {
public:
    static constexpr std::size_t max_object_size = max_values;
    static constexpr std::size_t max_array_size = max_values;
    static constexpr std::size_t max_key_size = 64 * 1024;
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    json::value take() { return stack_.release(); }

    [[nodiscard]] const char* complaint() const noexcept { return complaint_; }

    bool on_document_begin(error_code&) { return true; }

    bool on_document_end(error_code&) { return true; }

    bool on_object_begin(error_code& ec) {
        keys_.emplace_back();
        return count(ec);
    }

    bool on_object_end(std::size_t n, error_code&) {
        keys_.pop_back();
        stack_.push_object(n);
        return true;
    }

    bool on_array_begin(error_code& ec) { return count(ec); }

    bool on_array_end(std::size_t n, error_code&) {
        stack_.push_array(n);
        return true;
    }

    bool on_key_part(json::string_view part, std::size_t, error_code&) {
        key_.append(part.data(), part.size());
        stack_.push_chars(part);
        return true;
    }

    bool on_key(json::string_view rest, std::size_t, error_code& ec) {
        key_.append(rest.data(), rest.size());
        stack_.push_key(rest);
        if (!keys_.back().insert(std::move(key_)).second)
            return complain(ec, "a key comes twice in one object");
        key_.clear();
        return true;
    }

    bool on_string_part(json::string_view part, std::size_t, error_code&) {
        stack_.push_chars(part);
        return true;
    }

    bool on_string(json::string_view rest, std::size_t, error_code& ec) {
        stack_.push_string(rest);
        return count(ec);
    }

    bool on_number_part(json::string_view, error_code&) { return true; }

    bool on_int64(std::int64_t v, json::string_view, error_code& ec) {
        stack_.push_int64(v);
        return count(ec);
    }

    bool on_uint64(std::uint64_t v, json::string_view, error_code& ec) {
        stack_.push_uint64(v);
        return count(ec);
    }

    bool on_double(double v, json::string_view, error_code& ec) {
        // "0e355" and "1e999" become values that cannot be written as JSON again.
        if (!std::isfinite(v))
            return complain(ec, "a number is out of range");
        stack_.push_double(v);
        return count(ec);
    }

    bool on_bool(bool v, error_code& ec) {
        stack_.push_bool(v);
        return count(ec);
    }

    bool on_null(error_code& ec) {
        stack_.push_null();
        return count(ec);
    }

    bool on_comment_part(json::string_view, error_code&) { return true; }

    bool on_comment(json::string_view, error_code&) { return true; }

    void begin() { stack_.reset(); }

private:
    bool count(error_code& ec) { return ++values_ <= max_values || complain(ec, "too many values"); }

    bool complain(error_code& ec, const char* what) {
        complaint_ = what;
        ec = errc::json_invalid;
        return false;
    }

    json::value_stack stack_;
    std::string key_;
    std::vector<std::set<std::string>> keys_;
    std::size_t values_ = 0;
    const char* complaint_ = nullptr;
};

}  // namespace

boost::system::result<json::value, json_error> parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = max_depth;
    json::basic_parser<builder> parser{options};
    parser.handler().begin();
    error_code ec;
    const auto used = parser.write_some(false, text.data(), text.size(), ec);
    if (ec) {
        const auto* complaint = parser.handler().complaint();
        return json_error{used, complaint != nullptr ? complaint : ec.message()};
    }
    if (text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
        return json_error{used, "something follows behind the value"};
    return parser.handler().take();
}

}  // namespace estafette::api
