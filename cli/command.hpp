// The command tree of `estafette`: one file per group of commands, each adding its branch. The chosen
// command leaves an action in the invocation, which runs after the whole command line was understood.
#pragma once

#include "client.hpp"
#include "console.hpp"
#include "failure.hpp"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace estafette::cli {

struct invocation {
    console& io;
    std::string socket;
    bool json = false;
    std::string timeout = "60s";
    std::function<int()> action;

    [[nodiscard]] client api() const;

    [[nodiscard]] style how() const noexcept { return json ? style::json : style::words; }
};

// Adds every command to the tree. `app` and `call` outlive the parse and the action.
void add_commands(CLI::App& app, invocation& call);

void add_send(CLI::App& app, invocation& call);
void add_messages(CLI::App& app, invocation& call);    // status, list
void add_cancel(CLI::App& app, invocation& call);      // cancel
void add_sequence(CLI::App& app, invocation& call);    // sequence
void add_erase(CLI::App& app, invocation& call);       // erase
void add_category(CLI::App& app, invocation& call);    // category
void add_explain(CLI::App& app, invocation& call);     // explain
void add_allow_list(CLI::App& app, invocation& call);  // allowlist
void add_test_mail(CLI::App& app, invocation& call);   // test-mail
void add_routes(CLI::App& app, invocation& call);      // queue, route
void add_health(CLI::App& app, invocation& call);      // health, version
void add_config(CLI::App& app, invocation& call);      // config
void add_rules(CLI::App& app, invocation& call);       // rules
void add_bounce(CLI::App& app, invocation& call);      // bounce
void add_suppress(CLI::App& app, invocation& call);    // suppress
void add_store(CLI::App& app, invocation& call);       // store
void add_actions(CLI::App& app, invocation& call);  // hold, release, requeue, flush, delete, expire, actions
void add_tenants(CLI::App& app, invocation& call);  // tenant
void add_completion(CLI::App& app, invocation& call);  // completion

// The whole program: `args` is argv, args[0] included. It decides by the name whether it is sendmail.
[[nodiscard]] int run(const std::vector<std::string>& args, console& io);

// A command line that is wrong, found after parsing.
[[nodiscard]] failure usage(std::string text);

}  // namespace estafette::cli
