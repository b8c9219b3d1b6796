// estafette send: a message from options, or a finished one on standard input.

#include "command.hpp"
#include "fields.hpp"
#include "submission.hpp"
#include "when.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/compose.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>

namespace estafette::cli {

namespace json = boost::json;

namespace {

struct send_options {
    std::string from, reply_to, subject, text, text_file, html, html_file;
    std::vector<std::string> to, cc, bcc, attachments, headers, tags;
    std::string tenant, send_at, expires_at, priority, category, group, key, on_key, metadata,
        idempotency_key, notify, returned, envelope_id;
    bool raw = false;
    bool require_tls = false;
    bool ignore_suppression = false;
};

template <class T> using outcome = boost::system::result<T, failure>;

constexpr std::array<std::pair<std::string_view, const char*>, 16> media_types{{
    {"txt", "text/plain; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"ics", "text/calendar; charset=utf-8"},
    {"vcf", "text/vcard; charset=utf-8"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"pdf", "application/pdf"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"svg", "image/svg+xml"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
}};

const char* media_type_of(std::string_view file) {
    const std::size_t dot = file.rfind('.');
    const std::string ending = dot == std::string_view::npos ? "" : ascii_lower(file.substr(dot + 1));
    for (const auto& [known, type] : media_types) {
        if (known == ending) {
            return type;
        }
    }
    return "application/octet-stream";
}

std::string all_of(std::istream& in) {
    return {std::istreambuf_iterator<char>{in}, {}};
}

outcome<std::string> content_of(const std::string& file, console& io) {
    if (file == "-") {
        return all_of(io.in);
    }
    std::ifstream in{file, std::ios::binary};
    std::string bytes = all_of(in);
    if (!in.is_open() || in.bad()) {
        return failure{exit_code::no_input, "cannot read " + printable(file), {}};
    }
    return bytes;
}

std::string text_of_stdin(console& io) {
    if (io.in_is_terminal) {
        io.err << "estafette: type the message; Ctrl-D on a line of its own ends it\n";
    }
    return all_of(io.in);
}

outcome<json::value> attachment_of(const std::string& file, console& io) {
    auto bytes = content_of(file, io);
    if (!bytes) {
        return bytes.error();
    }
    return json::value{
        {"filename", file.substr(file.rfind('/') + 1)},
        {"content_type", media_type_of(file)},
        {"content", base64_encode(*bytes)}
    };
}

// The fields that a raw message has too.
outcome<json::object> common_fields(const send_options& given, console& io) {
    json::object out;
    const auto set = [&](const char* name, const std::string& value) {
        if (!value.empty()) {
            out[name] = value;
        }
    };
    for (const auto& [name, value] :
         {std::pair{"send_at", &given.send_at}, {"expires_at", &given.expires_at}}) {
        if (!value->empty()) {
            const auto at = parse_when(*value, io.now());
            if (!at) {
                return usage(
                    printable(*value) +
                    " is not a time such as 2026-05-01T08:00:00Z, '2026-05-01 10:00' or +2h"
                );
            }
            out[name] = to_rfc3339(*at);
        }
    }
    set("tenant", given.tenant);
    set("priority", given.priority);
    set("category", given.category);
    set("group", given.group);
    set("key", given.key);
    set("on_key", given.on_key);
    if (!given.tags.empty()) {
        out["tags"] = json::array(given.tags.begin(), given.tags.end());
    }
    json::object reports;
    for (const auto& [name, value] :
         {std::pair{"notify", &given.notify}, {"return", &given.returned}, {"envelope_id", &given.envelope_id}
         }) {
        if (!value->empty()) {
            reports[name] = *value;
        }
    }
    if (!reports.empty()) {
        out["dsn"] = std::move(reports);
    }
    if (given.require_tls) {
        out["require_tls"] = true;
    }
    if (given.ignore_suppression) {
        out["ignore_suppression"] = true;
    }
    if (!given.metadata.empty()) {
        error_code invalid;
        out["metadata"] = json::parse(given.metadata, invalid);
        if (invalid) {
            return usage("--metadata is not JSON: " + invalid.message());
        }
    }
    return out;
}

outcome<json::object> header_fields(const std::vector<std::string>& given) {
    json::object out;
    for (const std::string& line : given) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos || colon == 0) {
            return usage("--header " + printable(line) + " is not of the form 'Name: value'");
        }
        out[line.substr(0, colon)] = std::string{trim(std::string_view{line}.substr(colon + 1))};
    }
    return out;
}

outcome<request> structured(const send_options& given, console& io) {
    auto fields = common_fields(given, io);
    if (!fields) {
        return fields.error();
    }
    json::object message = std::move(*fields);
    message["from"] = given.from;
    for (const auto& [name, addresses] :
         {std::pair{"to", &given.to}, {"cc", &given.cc}, {"bcc", &given.bcc}}) {
        if (!addresses->empty()) {
            message[name] = json::array(addresses->begin(), addresses->end());
        }
    }
    for (const auto& [name, value, file] :
         {std::tuple{"text", &given.text, &given.text_file}, {"html", &given.html, &given.html_file}}) {
        if (!file->empty()) {
            auto content = content_of(*file, io);
            if (!content) {
                return content.error();
            }
            message[name] = std::move(*content);
        } else if (!value->empty()) {
            message[name] = *value;
        }
    }
    if (!message.contains("text") && !message.contains("html")) {
        message["text"] = text_of_stdin(io);
    }
    if (!given.subject.empty()) {
        message["subject"] = given.subject;
    }
    if (!given.reply_to.empty()) {
        message["reply_to"] = given.reply_to;
    }
    if (!given.headers.empty()) {
        auto headers = header_fields(given.headers);
        if (!headers) {
            return headers.error();
        }
        message["headers"] = std::move(*headers);
    }
    json::array attachments;
    for (const std::string& file : given.attachments) {
        auto one = attachment_of(file, io);
        if (!one) {
            return one.error();
        }
        attachments.push_back(std::move(*one));
    }
    if (!attachments.empty()) {
        message["attachments"] = std::move(attachments);
    }
    return request_of(message);
}

outcome<request> raw(const send_options& given, console& io) {
    if (!given.subject.empty() || !given.text.empty() || !given.text_file.empty() || !given.html.empty() ||
        !given.html_file.empty() || !given.reply_to.empty() || !given.attachments.empty() ||
        !given.headers.empty()) {
        return usage("--raw takes the message as it is from standard input: no --subject, --text, --html, "
                     "--attach, --reply-to or --header");
    }
    auto fields = common_fields(given, io);
    if (!fields) {
        return fields.error();
    }
    raw_submission message{text_of_stdin(io), given.from, {}, std::move(*fields)};
    for (const auto* addresses : {&given.to, &given.cc, &given.bcc}) {
        message.to.insert(message.to.end(), addresses->begin(), addresses->end());
    }
    if (message.to.empty()) {
        auto named = mail::header_recipients(message.bytes);
        if (!named) {
            return failure{exit_code::data, "To, Cc or Bcc: " + named.error().message(), {}};
        }
        message.to = std::move(*named);
    }
    if (message.to.empty()) {
        return failure{exit_code::data, "the message names no recipient: give --to", {}};
    }
    return request_of(message);
}

int send(const send_options& given, invocation& call) {
    auto prepared = given.raw ? raw(given, call.io) : structured(given, call.io);
    if (!prepared) {
        return report(call.io, prepared.error(), call.how());
    }
    const auto accepted = submit(call.api(), std::move(*prepared), given.idempotency_key);
    if (!accepted) {
        return report(call.io, accepted.error(), call.how());
    }
    if (call.json) {
        call.io.out << json::serialize(*accepted) << '\n';
    } else {
        call.io.out << text(*accepted, "id") << '\n';
    }
    return 0;
}

constexpr const char* examples = R"(Examples:
  estafette send --from badges@vendor.example --to 'Ann <ann@customer.example>' \
                 --subject 'Your badge' --text 'Here it is.' --attach badge.pdf
  echo 'The backup is done.' | estafette send --from ops@vendor.example \
                 --to night@vendor.example --subject Backup
  estafette send --from a@x.example --to b@y.example --subject Reminder \
                 --text 'Tomorrow!' --send-at '2026-05-01 08:00' --expires-at +3d
  estafette send --raw --from a@x.example < message.eml
Prints the message's id when the message is safe on the daemon's disk.)";

template <class T>
void option(CLI::App& command, const char* name, T& value, const char* help, const char* type) {
    command.add_option(name, value, help)->type_name(type)->allow_extra_args(false);
}

void add_content(CLI::App& command, send_options& o) {
    command.add_option("--from", o.from, "The sender: a@x or 'Ann <a@x>'")->type_name("MAILBOX")->required();
    option(command, "--to", o.to, "A recipient; may be repeated", "MAILBOX");
    option(command, "--cc", o.cc, "A recipient of a copy; may be repeated", "MAILBOX");
    option(command, "--bcc", o.bcc, "A recipient the others do not see; may be repeated", "MAILBOX");
    option(command, "--reply-to", o.reply_to, "Where answers go", "MAILBOX");
    option(command, "--subject", o.subject, "The subject", "TEXT");
    option(
        command, "--text", o.text, "The text; without it and --html it is read from standard input", "TEXT"
    );
    option(command, "--text-file", o.text_file, "The text from a file, - for standard input", "FILE");
    option(command, "--html", o.html, "The HTML part", "HTML");
    option(command, "--html-file", o.html_file, "The HTML part from a file, - for standard input", "FILE");
    option(command, "--attach", o.attachments, "A file to attach; may be repeated", "FILE");
    option(command, "--header", o.headers, "A header field 'Name: value'; may be repeated", "FIELD");
    command.add_flag(
        "--raw",
        o.raw,
        "Standard input is the whole message (RFC 5322); without --to it goes to its To, Cc and Bcc"
    );
}

void add_handling(CLI::App& command, send_options& o) {
    option(command, "--tenant", o.tenant, "The customer it is sent for", "NAME");
    option(command, "--send-at", o.send_at, "Not before: RFC 3339, 'YYYY-MM-DD HH:MM' or +DURATION", "TIME");
    option(command, "--expires-at", o.expires_at, "Give up at this time", "TIME");
    command.add_option("--priority", o.priority, "How urgent it is")
        ->type_name("CLASS")
        ->check(CLI::IsMember({"transactional", "bulk"}));
    option(command, "--category", o.category, "Your kind of mail, such as invitation", "TEXT");
    option(command, "--group", o.group, "Your group of mails, to find and cancel them", "TEXT");
    option(command, "--key", o.key, "Your key of this mail: at most one waits under it", "TEXT");
    command.add_option("--on-key", o.on_key, "What happens to mail that waits under the key (replace)")
        ->type_name("RULE")
        ->check(CLI::IsMember({"replace", "keep", "reject"}));
    option(command, "--tag", o.tags, "A tag; may be repeated", "TEXT");
    option(command, "--metadata", o.metadata, "A JSON object kept with the message", "JSON");
    option(command, "--idempotency-key", o.idempotency_key, "The same key sends a message only once", "KEY");
    option(
        command,
        "--notify",
        o.notify,
        "Reports that other servers shall send: never, or of success,failure,delay",
        "LIST"
    );
    command.add_option("--return", o.returned, "What of the mail shall be in a report (headers)")
        ->type_name("PART")
        ->check(CLI::IsMember({"headers", "full"}));
    option(command, "--envelope-id", o.envelope_id, "Your own name of the mail in reports", "TEXT");
    command.add_flag(
        "--require-tls", o.require_tls, "Only by servers that promise TLS all the way (RFC 8689)"
    );
    command.add_flag(
        "--ignore-suppression", o.ignore_suppression, "Also to addresses on the suppression list"
    );
}

}  // namespace

void add_send(CLI::App& app, invocation& call) {
    auto o = std::make_shared<send_options>();
    CLI::App* command = app.add_subcommand("send", "Send a message from options or standard input");
    command->footer(examples);
    add_content(*command, *o);
    add_handling(*command, *o);
    command->callback([o, &call] { call.action = [o, &call] { return send(*o, call); }; });
}

}  // namespace estafette::cli
