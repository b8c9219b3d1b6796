#include "sendmail.hpp"

#include "fields.hpp"
#include "local_names.hpp"
#include "output.hpp"
#include "raw_message.hpp"
#include "sendmail_options.hpp"
#include "smtp_server.hpp"
#include "submission.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/address.hpp"
#include "estafette/mail/compose.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace estafette::cli {

namespace json = boost::json;

namespace {

constexpr milliseconds patience = seconds{60};

int complain(console& io, exit_code code, const std::string& text) {
    io.err << "sendmail: " << printable(text) << '\n';
    return static_cast<int>(code);
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < ' ' || c == 127;
}

// "Cron Daemon <root@x>", the name quoted where RFC 5322 asks for it.
std::string mailbox_of(const std::string& name, const std::string& address) {
    const std::string clean = printable(name, 256);
    if (clean.empty()) {
        return address;
    }
    static constexpr std::string_view special = "()<>[]:;@\\,.\"";
    if (clean.find_first_of(special) == std::string::npos) {
        return clean + " <" + address + ">";
    }
    std::string quoted = "\"";
    for (const char c : clean) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
        }
        quoted += c;
    }
    return quoted + "\" <" + address + ">";
}

class front_end {
public:
    front_end(sendmail_options options, console& io)
        : options_{std::move(options)}
        , io_{io}
        , names_{load_local_names(io)}
        , api_{names_.socket, patience} {}

    int run() {
        say_what_is_ignored();
        switch (options_.mode) {
        case sendmail_mode::deliver: return deliver();
        case sendmail_mode::smtp: return serve();
        case sendmail_mode::list: return list_queue();
        case sendmail_mode::aliases:
        case sendmail_mode::flush: return 0;
        }
        return static_cast<int>(exit_code::software);
    }

private:
    void say_what_is_ignored() {
        std::string all;
        for (const std::string& one : options_.ignored) {
            all += " " + printable(one, 80);
        }
        if (!all.empty()) {
            io_.log("sendmail: ignored" + all);
        }
        if (options_.verbose) {
            io_.err << (all.empty() ? "" : "sendmail: ignored" + all + "\n");
            io_.err << (names_.complaint.empty() ? "" : "sendmail: " + printable(names_.complaint) + "\n");
        }
    }

    // Without -f: whom the message is from. The calling user (www-data, say) has no mailbox here, and few
    // relays accept its name.
    std::string sender_of(std::string_view bytes) const {
        if (options_.sender) {
            return *options_.sender;
        }
        std::string named = originator(bytes);
        return named.empty() ? names_.complete(io_.who().login) : named;
    }

    std::string from_field(const std::string& envelope_sender) const {
        const caller who = io_.who();
        std::string name = options_.full_name;
        if (name.empty()) {
            name = io_.environment("NAME").value_or(who.full_name);
        }
        return mailbox_of(name, envelope_sender.empty() ? names_.complete(who.login) : envelope_sender);
    }

    json::object reports() const {
        json::object out;
        for (const auto& [name, value] :
             {std::pair{"notify", &options_.notify},
              {"return", &options_.returned},
              {"envelope_id", &options_.envelope_id}}) {
            if (!value->empty()) {
                out[name] = *value;
            }
        }
        return out;
    }

    // Bytes as the caller gave them, envelope as written: completed, repaired, handed over.
    boost::system::result<std::string, failure>
    hand_over(std::string_view bytes, const std::string& from, const std::vector<std::string>& to) const {
        raw_submission message;
        if (!from.empty()) {
            const std::vector<std::string> meant = expand_sender(from);
            if (meant.size() != 1) {
                return failure{exit_code::data, "the sender is not one address: " + printable(from), {}};
            }
            message.from = meant.front();
        }
        for (const std::string& written : to) {
            if (auto wrong = add_recipients(written, message.to)) {
                return *wrong;
            }
        }
        if (message.to.empty()) {
            return failure{exit_code::data, "no recipient", {}};
        }
        if (json::object wanted = reports(); !wanted.empty()) {
            message.fields["dsn"] = std::move(wanted);
        }
        message.bytes = repaired(bytes, {from_field(message.from), names_.domain});
        const auto accepted = submit(api_, request_of(message), {});
        if (!accepted) {
            failure wrong = accepted.error();
            if (wrong.code == exit_code::temporary && !names_.complaint.empty()) {
                wrong.text += " (" + printable(names_.complaint) + ")";
            }
            return wrong;
        }
        return text(*accepted, "id");
    }

    std::optional<failure> add_recipients(const std::string& written, std::vector<std::string>& to) const {
        if (std::ranges::any_of(written, is_control)) {
            return failure{exit_code::data, "not a valid address: " + printable(written), {}};
        }
        const auto meant = names_.expand(written);
        if (!meant) {
            const std::string why = " is no alias, and the configuration has no default_domain";
            return failure{exit_code::no_such, printable(meant.error()) + why, {}};
        }
        for (const std::string& address : *meant) {
            // One that begins with '-' was meant as an option.
            if (address.starts_with('-') || !mail::address::parse(address)) {
                return failure{exit_code::data, "not a valid address: " + printable(address), {}};
            }
            if (std::ranges::find(to, address) == to.end()) {
                to.push_back(address);
            }
        }
        return std::nullopt;
    }

    // A sender is no alias: mail from root is from root.
    std::vector<std::string> expand_sender(const std::string& written) const {
        std::vector<std::string> out;
        for (const address_span& span : find_addresses(written)) {
            out.push_back(names_.complete(std::string_view{written}.substr(span.offset, span.size)));
        }
        return out;
    }

    int deliver() {
        if (options_.recipients.empty() && !options_.recipients_from_header) {
            return complain(
                io_, exit_code::usage, "no recipients: name them, or let -t take them from the header"
            );
        }
        const std::string bytes =
            read_message(io_.in, options_.dot_ends_input ? input_end::lone_dot : input_end::end_of_file);
        if (io_.in.bad()) {
            return complain(io_, exit_code::io, "standard input could not be read");
        }
        std::vector<std::string> to = options_.recipients;
        if (options_.recipients_from_header) {
            const auto named = mail::header_recipients(bytes);
            if (!named) {
                return complain(io_, exit_code::data, "To, Cc or Bcc: " + named.error().message());
            }
            to.insert(to.end(), named->begin(), named->end());
        }
        if (to.empty()) {
            return complain(io_, exit_code::data, "the message names no recipient in To, Cc or Bcc");
        }
        const auto id = hand_over(bytes, sender_of(bytes), to);
        if (!id) {
            io_.log("sendmail: not accepted: " + id.error().text);
            return complain(io_, id.error().code, id.error().text);
        }
        if (options_.verbose) {
            io_.out << "accepted as " << *id << '\n';
        }
        return 0;
    }

    int serve() {
        const auto submit_it = [this](const smtp_server::envelope& e, std::string_view bytes) {
            return hand_over(bytes, e.from, e.to);
        };
        const auto is_address = [this](std::string_view written) {
            std::vector<std::string> meant;
            return !add_recipients(std::string{written}, meant) && meant.size() == 1;
        };
        smtp_server server{names_.domain, is_address, submit_it};
        io_.out << server.greeting() << std::flush;
        for (std::string line; server.is_open() && std::getline(io_.in, line);) {
            if (line.ends_with('\r')) {
                line.pop_back();
            }
            io_.out << server.take(line) << std::flush;
        }
        return 0;
    }

    int list_queue() {
        std::set<std::string> seen;
        table rows{"QUEUE ID", "ARRIVED", "STATE", "RECIPIENT", "REASON"};
        for (const char* state : {"queued", "deferred", "held", "scheduled"}) {
            if (const auto wrong = list_state(state, seen, rows)) {
                return complain(io_, wrong->code, wrong->text);
            }
        }
        if (rows.empty()) {
            io_.out << "Mail queue is empty\n";
            return 0;
        }
        rows.print(io_);
        io_.out << "-- " << seen.size() << (seen.size() == 1 ? " recipient\n" : " recipients\n");
        return 0;
    }

    std::optional<failure> list_state(const std::string& state, std::set<std::string>& seen, table& rows) {
        std::string cursor;
        do {
            const std::string query = query_of({{"state", state}, {"limit", "500"}, {"cursor", cursor}});
            const auto page = ask(api_, {"GET", "/v1/recipients" + query, {}, {}, {}});
            if (!page) {
                return page.error();
            }
            for (const json::value& recipient : list(*page, "recipients")) {
                if (seen.insert(text(recipient, "id")).second) {
                    rows.add(
                        {text(recipient, "message"),
                         local_time(time(recipient, "accepted_at")),
                         text(recipient, "state"),
                         text(recipient, "address"),
                         text(recipient, "headline")}
                    );
                }
            }
            cursor = text(*page, "next");
        } while (!cursor.empty());
        return std::nullopt;
    }

    sendmail_options options_;
    console& io_;
    local_names names_;
    client api_;
};

}  // namespace

std::string read_message(std::istream& in, input_end where) {
    if (where == input_end::end_of_file) {
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    std::string out;
    for (std::string line; std::getline(in, line);) {
        if (line == "." || line == ".\r") {
            break;
        }
        out += line;
        if (!in.eof()) {
            out += '\n';  // the last line may have had no end
        }
    }
    return out;
}

int run_sendmail(const std::vector<std::string>& args, console& io) {
    auto options = parse_sendmail(args);
    if (!options) {
        return complain(io, exit_code::usage, options.error());
    }
    return front_end{std::move(*options), io}.run();
}

}  // namespace estafette::cli
