// The daemon: owns every object by value in floor order, from the store up to the API, and brings them
// up and down. Nothing here decides about mail.
#pragma once

#include "gateway.hpp"
#include "notify.hpp"

#include "estafette/api/server.hpp"
#include "estafette/base/metrics.hpp"
#include "estafette/bounce/intake.hpp"
#include "estafette/bounce/lmtp_server.hpp"
#include "estafette/config/config.hpp"
#include "estafette/net/dns.hpp"
#include "estafette/net/task_group.hpp"
#include "estafette/route/table.hpp"
#include "estafette/sched/scheduler.hpp"
#include "estafette/store/queue.hpp"
#include "estafette/store/slate.hpp"
#include "estafette/verdict/classifier.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <stdexcept>
#include <string>

namespace estafette {

// A start that cannot be: one line for people, and an exit code of sysexits.h.
class startup_error : public std::runtime_error {
public:
    startup_error(int exit_code, const std::string& text)
        : std::runtime_error{text}
        , exit_code_{exit_code} {}

    [[nodiscard]] int exit_code() const noexcept { return exit_code_; }

private:
    int exit_code_;
};

class app {
public:
    // Throws startup_error. `file` is read again on SIGHUP.
    app(std::string file, config::config c);

    // Until SIGTERM or SIGINT and a clean end.
    void run();

private:
    [[nodiscard]] asio::awaitable<void> live();
    [[nodiscard]] asio::awaitable<void> start();
    [[nodiscard]] asio::awaitable<std::size_t> take_over();  // the number of mails in doubt
    [[nodiscard]] asio::awaitable<void> wait_for_end();
    [[nodiscard]] asio::awaitable<void> stop();
    [[nodiscard]] asio::awaitable<void> reload();
    [[nodiscard]] asio::awaitable<void> watch();  // the watchdog, and the gauges
    [[nodiscard]] asio::awaitable<void> sample();
    void on_store_change();
    void apply_log(const config::log_options& o);

    std::string file_;
    config::config_ptr config_;
    notifier notify_;
    metrics meters_;
    std::vector<verdict::rule_file> rule_files_;
    verdict::classifier classifier_;
    asio::io_context loop_{1};
    asio::signal_set signals_;
    net::task_group tasks_;
    store::queue queue_;  // opens and locks the store
    store::slate slate_;
    store::suppressions lists_;
    mail::verp_keys verp_;
    net::resolver dns_;
    route::table routes_;
    sched::scheduler scheduler_;
    bounce::intake bounces_;
    sched::administration admin_;
    scheduler_gateway gateway_;
    bounce::lmtp_server lmtp_;
    api::server server_;
    bool is_full_ = false;        // as logged
    std::exception_ptr failure_;  // of the start, brought out of the loop
};

}  // namespace estafette
