// estafette test-mail: sends one mail and follows it to its end.

#include "command.hpp"
#include "explain.hpp"
#include "fields.hpp"
#include "output.hpp"
#include "submission.hpp"

#include "estafette/base/text.hpp"
#include "estafette/verdict/allow_list.hpp"

#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <memory>
#include <thread>

namespace estafette::cli {

namespace json = boost::json;

namespace {

constexpr milliseconds between_looks{300};

struct test_options {
    std::string tenant = "default", to, from, lang, wait = "10m";
};

// The tenant's first sender that is an address.
boost::system::result<std::string, failure> sender_of(const test_options& given, const client& api) {
    if (!given.from.empty()) {
        return given.from;
    }
    const auto found =
        ask(api, {"GET", "/v1/tenants/" + percent_encode(given.tenant) + "/allowlist", {}, {}, {}});
    if (!found) {
        return found.error();
    }
    for (const json::value& sender : list(*found, "senders")) {
        if (sender.is_string()) {
            return std::string{sender.as_string()};
        }
    }
    return usage(
        "give --from, or set tenants." + printable(given.tenant) +
        ".senders to an address in the configuration"
    );
}

// "in 5 min", "dans 5 min", "over 5 min": units that are read in all languages.
std::string ahead(milliseconds distance, verdict::language l) {
    const auto whole = std::chrono::ceil<seconds>(distance).count();
    const auto amount = whole < 120    ? std::to_string(whole) + " s"
                        : whole < 7200 ? std::to_string(whole / 60) + " min"
                                       : std::to_string(whole / 3600) + " h";
    switch (l) {
    case verdict::language::en: return "in " + amount;
    case verdict::language::fr: return "dans " + amount;
    case verdict::language::nl: return "over " + amount;
    }
    return amount;
}

// One line that is written again and again on a terminal, a line a change elsewhere.
class progress {
public:
    progress(const console& io, wall_time began, verdict::language l)
        : io_{io}
        , began_{began}
        , language_{l} {}

    void show(const json::value& recipient) {
        std::string state = text(recipient, "shown");
        const std::string headline = text(recipient, "headline");
        const auto* colon = language_ == verdict::language::fr ? "\u00a0: " : ": ";
        state += headline.empty() ? "" : colon + headline;
        if (const auto next = time(recipient, "next_attempt_at"); next && *next > io_.now()) {
            state += ", " + ahead(*next - io_.now(), language_);
        }
        const auto seconds_passed = std::chrono::floor<seconds>(io_.now() - began_);
        const std::string line = format_duration(seconds_passed) + "  " + state;
        if (io_.columns != 0) {
            io_.err << "\r\033[K" << shortened(line, io_.columns - 1) << std::flush;
        } else if (state.substr(0, state.rfind(", ")) != last_) {
            last_ = state.substr(0, state.rfind(", "));
            io_.err << line << '\n';
        }
    }

    void end() const {
        if (io_.columns != 0) {
            io_.err << "\r\033[K" << std::flush;
        }
    }

private:
    const console& io_;
    wall_time began_;
    verdict::language language_;
    std::string last_;
};

bool has_ended(const std::string& state) {
    return state == "relayed" || state == "delivered" || state == "failed" || state == "cancelled";
}

exit_code code_of(const std::string& state) {
    if (state == "relayed" || state == "delivered") {
        return exit_code::ok;
    }
    return has_ended(state) ? exit_code::unavailable : exit_code::temporary;
}

int follow(const std::string& id, const test_options& given, verdict::language l, invocation& call) {
    const auto began = call.io.now();
    const auto until = began + parse_duration(given.wait).value();
    const std::string target =
        "/v1/messages/" + percent_encode(id) + "?lang=" + std::string{verdict::to_text(l)};
    progress line{call.io, began, l};
    for (;;) {
        const auto message = ask(call.api(), {"GET", target, {}, {}, {}});
        if (!message) {
            line.end();
            return report(call.io, message.error(), call.how());
        }
        const auto& recipients = list(*message, "recipients");
        const json::value recipient = recipients.empty() ? json::value{} : recipients.front();
        const std::string state = text(recipient, "state");
        line.show(recipient);
        if (has_ended(state) || call.io.now() >= until) {
            line.end();
            if (call.json) {
                call.io.out << json::serialize(recipient) << '\n';
            } else {
                print_recipient(recipient, l, call.io);
            }
            return static_cast<int>(code_of(state));
        }
        std::this_thread::sleep_for(between_looks);
    }
}

int test_mail(const test_options& given, invocation& call) {
    if (!parse_duration(given.wait)) {
        return report(call.io, usage("--wait: " + std::string{sentence(errc::duration_invalid)}), call.how());
    }
    const auto l = reader_language(given.lang, call.io);
    const auto from = sender_of(given, call.api());
    if (!from) {
        return report(call.io, from.error(), call.how());
    }
    const auto words = verdict::test_mail(l, random_key().substr(0, 8));
    const auto accepted = submit(
        call.api(),
        request_of(json::object{
            {"tenant", given.tenant},
            {"from", *from},
            {"to", json::array{given.to}},
            {"subject", words.subject},
            {"text", words.text},
            {"tags", json::array{"test"}},
        }),
        {}
    );
    if (!accepted) {
        return report(call.io, accepted.error(), call.how());
    }
    return follow(text(*accepted, "id"), given, l, call);
}

}  // namespace

void add_test_mail(CLI::App& app, invocation& call) {
    auto o = std::make_shared<test_options>();
    CLI::App* command = app.add_subcommand("test-mail", "Send a test mail and follow it to its end");
    command->footer("Examples:\n"
                    "  estafette test-mail --tenant acme --to it@customer.example\n"
                    "Exit codes: 0 a server took it, 69 it failed, 75 it was still under way after --wait.");
    command->add_option("--to", o->to, "The recipient")->type_name("ADDRESS")->required();
    command->add_option("--tenant", o->tenant, "The customer it is sent for")
        ->type_name("NAME")
        ->capture_default_str();
    command->add_option("--from", o->from, "The sender; otherwise the first of the tenant's senders")
        ->type_name("MAILBOX");
    command->add_option("--wait", o->wait, "How long it is followed")
        ->type_name("DURATION")
        ->capture_default_str();
    command->add_option("--lang", o->lang, "The language; otherwise after $LC_ALL, $LC_MESSAGES, $LANG")
        ->type_name("LANGUAGE")
        ->check(CLI::IsMember({"en", "fr", "nl"}));
    command->callback([o, &call] { call.action = [o, &call] { return test_mail(*o, call); }; });
}

}  // namespace estafette::cli
