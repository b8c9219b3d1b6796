#include "failure.hpp"

#include "fields.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace estafette::cli {

namespace json = boost::json;

namespace {

exit_code code_of(unsigned status) {
    switch (status) {
    case 400:
    case 413:
    case 415:
    case 422: return exit_code::data;
    case 401:
    case 403: return exit_code::no_permission;
    case 404: return exit_code::no_such;
    case 405: return exit_code::protocol;  // a newer or older daemon
    case 409: return exit_code::unavailable;
    case 408:
    case 429: return exit_code::temporary;
    default: break;
    }
    return status >= 500 ? exit_code::temporary : exit_code::protocol;
}

// "to[0]: control characters are not allowed here"; the pointer of each error is named once.
std::string words_of(const json::value& problem, unsigned status) {
    std::string out;
    for (const json::value& error : list(problem, "errors")) {
        const std::string detail = text(error, "detail");
        const std::string pointer = text(error, "pointer");
        if (!detail.empty()) {
            out += out.empty() ? "" : "; ";
            out += pointer.empty() || detail.find(pointer) != std::string::npos ? detail
                                                                                : pointer + ": " + detail;
        }
    }
    if (out.empty()) {
        out = text(problem, "detail");
    }
    if (out.empty()) {
        out = text(problem, "title");
    }
    return out.empty() ? "the daemon answered " + std::to_string(status) : out;
}

}  // namespace

failure failure_of(const answer& what) {
    failure out;
    out.code = code_of(what.status);
    error_code invalid;
    const json::value body = json::parse(what.body, invalid);
    const bool is_problem = !invalid && body.is_object();
    out.text = words_of(is_problem ? body : json::value{}, what.status);
    if (is_problem) {
        out.problem = json::serialize(body);
    }
    if (what.retry_after) {
        out.text += "; try again in " + std::to_string(what.retry_after->count()) + " s";
    }
    return out;
}

failure failure_of(error_code e, const std::string& socket) {
    const std::string where = printable(socket);
    if (e == boost::system::errc::permission_denied) {
        return {
            exit_code::no_permission,
            "you may not use " + where + ": ask to become a member of its group (usually estafette)",
            {}
        };
    }
    if (e == boost::system::errc::no_such_file_or_directory || e == boost::system::errc::connection_refused) {
        return {exit_code::temporary, "the daemon does not answer on " + where + ": is it running?", {}};
    }
    if (e == boost::system::errc::filename_too_long) {
        return {exit_code::usage, "the socket's path is empty or longer than 107 bytes: " + where, {}};
    }
    if (e == errc::timeout) {
        return {exit_code::temporary, "the daemon did not answer in time on " + where, {}};
    }
    if (e == errc::reply_malformed) {
        return {exit_code::protocol, "what answers on " + where + " does not speak HTTP", {}};
    }
    return {exit_code::temporary, "the call to " + where + " failed: " + printable(e.message()), {}};
}

boost::system::result<json::value, failure> ask(const client& api, const request& what) {
    const auto got = api.call(what);
    if (!got) {
        return failure_of(got.error(), api.socket());
    }
    if (got->status < 200 || got->status > 299) {
        return failure_of(*got);
    }
    error_code invalid;
    json::value body = json::parse(got->body, invalid);
    if (invalid) {
        return failure{exit_code::protocol, "the daemon's answer is not JSON: " + invalid.message(), {}};
    }
    return body;
}

int report(console& io, const failure& what, style how) {
    if (how == style::words) {
        io.err << "estafette: " << what.text << '\n';
    } else if (!what.problem.empty()) {
        io.err << what.problem << '\n';
    } else {
        io.err << json::serialize(json::value{{"title", what.text}, {"exit", static_cast<int>(what.code)}})
               << '\n';
    }
    return static_cast<int>(what.code);
}

}  // namespace estafette::cli
