#include "submission.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <random>
#include <thread>

namespace estafette::cli {

namespace json = boost::json;

namespace {

constexpr std::size_t target_limit = 4096;  // well below what HTTP servers take as a request line

void append_query(std::string& target, std::string_view name, std::string_view value) {
    target += target.find('?') == std::string::npos ? '?' : '&';
    target += std::string{name} + '=' + percent_encode(value);
}

// The query form, where every field is a plain string.
std::optional<std::string> target_of(const raw_submission& what) {
    std::string target = "/v1/messages";
    if (what.from.empty()) {
        return std::nullopt;
    }
    append_query(target, "from", what.from);
    for (const std::string& recipient : what.to) {
        append_query(target, "to", recipient);
    }
    for (const auto& [name, value] : what.fields) {
        if (!value.is_string()) {
            return std::nullopt;
        }
        append_query(
            target, {name.data(), name.size()}, {value.get_string().data(), value.get_string().size()}
        );
    }
    return target.size() <= target_limit ? std::optional{target} : std::nullopt;
}

// The connection broke under the request: nobody knows whether the daemon has it.
bool is_broken(error_code e) {
    return e == errc::connection_closed || e == boost::system::errc::connection_reset ||
           e == boost::system::errc::broken_pipe;
}

}  // namespace

request request_of(const raw_submission& what) {
    if (auto target = target_of(what)) {
        return {"POST", std::move(*target), "message/rfc822", what.bytes, {}};
    }
    json::object message = what.fields;
    message["raw"] = base64_encode(what.bytes);
    message["envelope"] =
        json::object{{"from", what.from}, {"to", json::array(what.to.begin(), what.to.end())}};
    return request_of(message);
}

request request_of(const json::object& message) {
    return {"POST", "/v1/messages", "application/json", json::serialize(message), {}};
}

std::string random_key() {
    static constexpr std::string_view hex = "0123456789abcdef";
    std::random_device entropy;
    std::string out = "cli-";
    for (int word = 0; word < 4; ++word) {
        std::uint32_t bits = entropy();
        for (int digit = 0; digit < 8; ++digit, bits >>= 4) {
            out += hex[bits & 15];
        }
    }
    return out;
}

boost::system::result<json::value, failure>
submit(const client& api, request what, std::string key, milliseconds patience) {
    what.fields.emplace_back("Idempotency-Key", key.empty() ? random_key() : std::move(key));
    const auto end = std::chrono::steady_clock::now() + patience;
    bool was_sent = false;
    for (;;) {
        const auto got = api.call(what);
        const bool may_ask_again = got ? was_sent && got->status == 409
                                       : is_broken(got.error()) || (was_sent && got.error() != errc::timeout);
        if (!may_ask_again || std::chrono::steady_clock::now() >= end) {
            if (!got) {
                return failure_of(got.error(), api.socket());
            }
            if (got->status < 200 || got->status > 299) {
                return failure_of(*got);
            }
            error_code invalid;
            json::value body = json::parse(got->body, invalid);
            if (invalid) {
                return failure{
                    exit_code::protocol, "the daemon's answer is not JSON: " + invalid.message(), {}
                };
            }
            return body;
        }
        was_sent = true;
        std::this_thread::sleep_for(milliseconds{200});
    }
}

}  // namespace estafette::cli
