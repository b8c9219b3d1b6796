#include "app.hpp"

#include "estafette/base/log.hpp"
#include "estafette/base/text.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sysexits.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace estafette {

namespace {

constexpr milliseconds terminal_grace = seconds{5};  // after the cut
constexpr milliseconds sample_interval = seconds{5};
constexpr std::size_t least_slots = 4096;
constexpr std::size_t most_slots = 1 << 17;  // 64 MiB

// A place on the slate for each message that may be under way; a few for routes that a reload adds.
std::size_t slots_for(const config::config& c) {
    std::size_t slots = least_slots;
    const auto add = [&](const std::optional<config::route_options>& r) {
        slots += r ? std::size_t{r->connections} * (r->chunking ? r->window : 1) : 0;
    };
    add(c.relay);
    for (const auto& [name, tenant] : c.tenants) {
        add(tenant.server);
    }
    return std::min(slots, most_slots);
}

// Rules of the operator, beside the configuration, and the embedded ones: a file of the same name
// replaces the embedded one.
std::vector<verdict::rule_file> read_rule_files(const std::string& config_file) {
    const auto folder = std::filesystem::path{config_file}.parent_path() / "rules";
    std::map<std::string, verdict::rule_file> files;
    for (const auto& f : embedded_verdict()) {
        if (f.path.starts_with("conf/rules/")) {
            const auto name = std::filesystem::path{f.path}.filename().string();
            files[name] = {std::string{f.path}, std::string{f.content}};
        }
    }
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator{folder, ec}) {
        if (entry.path().extension() == ".yaml") {
            std::ifstream in{entry.path()};
            std::stringstream text;
            text << in.rdbuf();
            files[entry.path().filename().string()] = {entry.path().string(), text.str()};
        }
    }
    std::vector<verdict::rule_file> ordered;
    for (auto& [name, file] : files) {
        ordered.push_back(std::move(file));
    }
    return ordered;
}

verdict::classifier start_rules(const std::vector<verdict::rule_file>& files) {
    auto compiled = verdict::classifier::compile(files);
    if (!compiled) {
        throw startup_error{EX_CONFIG, compiled.error()};
    }
    return std::move(*compiled);
}

std::unique_ptr<store::engine> open_store(const config::store_options& options) {
    auto opened = store::open_engine(options);
    if (opened) {
        return std::move(*opened);
    }
    const auto& e = opened.error();
    const bool cannot_create =
        e.code == errc::io || e.code == errc::store_locked || e.code == errc::store_full;
    throw startup_error{cannot_create ? EX_CANTCREAT : EX_IOERR, e.problem};
}

store::slate open_slate(const config::config& c) {
    const auto& options = c.store;
    if (options.engine == "memory") {
        return store::slate::in_memory(slots_for(c));
    }
    auto opened = store::slate::open(options.path + "/slate", slots_for(c));
    if (!opened) {
        const bool is_damaged = opened.error() == errc::store_damaged;
        throw startup_error{
            is_damaged || opened.error() == errc::store_newer ? EX_IOERR : EX_CANTCREAT,
            options.path + "/slate: " +
                (is_damaged ? "damaged at offset 0: the header is not readable" : opened.error().message())
        };
    }
    return std::move(*opened);
}

}  // namespace

app::app(std::string file, config::config c)
    : file_{std::move(file)}
    , config_{std::make_shared<const config::config>(std::move(c))}
    , rule_files_{read_rule_files(file_)}
    , classifier_{start_rules(rule_files_)}
    , signals_{loop_, SIGTERM, SIGINT, SIGHUP}
    , tasks_{loop_.get_executor(),
             [](std::string_view task, std::string_view what) {
                 log::event(log::level::error, "task_failed", {{"task", task}, {"text", what}});
             }}
    , queue_{loop_.get_executor(), open_store(config_->store), [this](auto commit, auto sync) {
                 meters_.store_commit_duration.observe(commit);
                 meters_.fsync_duration.observe(sync);
             }}
    , slate_{open_slate(*config_)}
    , lists_{queue_}
    , dns_{loop_.get_executor()}
    , routes_{loop_.get_executor(), {dns_, classifier_, scheduler_, meters_, slate_, verp_}}
    , scheduler_{loop_.get_executor(), queue_, lists_, routes_, classifier_, meters_}
    , bounces_{queue_, lists_, classifier_, verp_, meters_}
    , admin_{loop_.get_executor(), queue_, scheduler_}
    , gateway_{scheduler_, admin_, routes_, queue_, classifier_, bounces_, lists_, meters_}
    , lmtp_{loop_.get_executor(), bounces_}
    , server_{loop_.get_executor(), queue_, gateway_, meters_} {
    meters_.version = ESTAFETTE_VERSION;
    queue_.watch([this] { on_store_change(); });
    std::signal(SIGPIPE, SIG_IGN);
    apply_log(config_->log);
}

// The first failure, and each time that the disk is full or has space again.
void app::on_store_change() {
    if (queue_.health()) {
        scheduler_.on_store_failure();
        return;
    }
    if (queue_.is_full() == is_full_) {
        return;
    }
    is_full_ = !is_full_;
    if (is_full_) {
        log::event(
            log::level::error,
            "store_full",
            {{"text", "new mail is refused until there is space; outcomes use the reserve"},
             {"store", config_->store.path}},
            "5a8e4c0b7d1f4a3e9c6b2d8f0e7a1b34"
        );
    } else {
        log::event(
            log::level::info,
            "store_has_space",
            {{"text", "new mail is taken again"}, {"store", config_->store.path}},
            "2c7f9d1a6b3e48d5a0f4e8c2b6d9713e"
        );
    }
}

void app::apply_log(const config::log_options& o) {
    log::options to;
    to.least = log::parse_level(o.level);
    to.redact_addresses = o.redact_addresses;
    to.to = o.target == "stderr"    ? log::target::standard_error
            : o.target == "journal" ? log::target::journal
                                    : log::target::automatic;
    log::configure(to);
}

void app::run() {
    tasks_.spawn("daemon", live());
    loop_.run();
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

asio::awaitable<void> app::live() {
    bool has_started = false;
    try {  // the border of the start: what it throws is brought out of the loop
        co_await start();
        has_started = true;
    } catch (...) {
        failure_ = std::current_exception();
    }
    if (has_started) {
        co_await wait_for_end();
    }
    co_await stop();
}

asio::awaitable<void> app::start() {
    scheduler_.configure(config_);
    server_.configure(config_);
    lists_.configure(config_);
    if (auto secrets = bounces_.prepare(*config_); !secrets) {
        throw startup_error{EX_CANTCREAT, secrets.error()};
    }
    bounces_.configure(config_);
    if (auto loaded = co_await lists_.load(); !loaded) {
        throw startup_error{EX_IOERR, "the store: " + loaded.error().message()};
    }
    if (auto loaded = routes_.load(*config_); !loaded) {
        throw startup_error{EX_CONFIG, loaded.error()};
    }
    const std::size_t in_doubt = co_await take_over();
    std::vector<api::inherited_listener> inherited;
    int for_lmtp = -1;
    for (const auto& s : take_inherited_sockets()) {
        if (s.name == "lmtp") {
            for_lmtp = s.fd;
        } else {
            inherited.push_back({s.fd, s.name});
        }
    }
    if (auto listening = lmtp_.listen(*config_, for_lmtp); !listening) {
        throw startup_error{EX_CANTCREAT, listening.error()};
    }
    if (auto listening = server_.listen(std::move(inherited)); !listening) {
        throw startup_error{EX_CANTCREAT, listening.error()};
    }
    const auto now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    meters_.process_start_time_seconds.set(now);
    meters_.config_last_reload_successful.set(1);
    meters_.config_last_reload_success_timestamp_seconds.set(now);
    meters_.store_healthy.set(1);
    tasks_.spawn("scheduler", scheduler_.run());
    tasks_.spawn("retention", scheduler_.run_retention());
    tasks_.spawn("delays", scheduler_.run_delays());
    tasks_.spawn("administration", admin_.run());
    tasks_.spawn("watchdog of mail", scheduler_.run_watchdog());
    tasks_.spawn("gauges", sample());
    if (notify_.watchdog_interval()) {
        tasks_.spawn("watchdog", watch());
    }
    log::event(
        log::level::info,
        "started",
        {{"version", ESTAFETTE_VERSION},
         {"config", file_},
         {"store", config_->store.path},
         {"in_doubt", in_doubt}},
        "1d0a3f8e5c4b4e6f9a7b2c8d6e5f4a31"
    );
    notify_.send("READY=1\nSTATUS=accepting and sending mail");
}

// What the last process left behind: mail in doubt, pauses, actions under way.
asio::awaitable<std::size_t> app::take_over() {
    const auto doubtful = slate_.in_doubt();
    auto settled = co_await scheduler_.settle_in_doubt(doubtful);
    if (!settled) {
        throw startup_error{EX_IOERR, "the store: " + settled.error().message()};
    }
    slate_.forget();
    auto restored = co_await scheduler_.restore_pauses();
    if (!restored) {
        throw startup_error{EX_IOERR, "the store: " + restored.error().message()};
    }
    if (auto known = co_await scheduler_.restore_categories(); !known) {
        throw startup_error{EX_IOERR, "the store: " + known.error().message()};
    }
    auto resumed = co_await admin_.restore();
    if (!resumed) {
        throw startup_error{EX_IOERR, "the store: " + resumed.error().message()};
    }
    co_return doubtful.size();
}

asio::awaitable<void> app::wait_for_end() {
    for (;;) {
        boost::system::error_code ec;
        // Waits as long as the daemon lives.
        const int which = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        if (ec || which != SIGHUP) {
            co_return;
        }
        co_await reload();
    }
}

asio::awaitable<void> app::reload() {
    const auto monotonic = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now().time_since_epoch()
    );
    notify_.send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic.count()));
    std::vector<std::string> problems;
    std::size_t changed = 0;
    auto loaded = config::load(file_);
    auto files = read_rule_files(file_);
    std::optional<verdict::classifier> rules;
    if (files != rule_files_) {
        if (auto compiled = verdict::classifier::compile(files)) {
            rules = std::move(*compiled);
        } else {
            problems.push_back(compiled.error());
        }
    }
    if (!loaded) {
        const auto complaints = loaded.error();  // a copy at each call
        problems.insert(problems.begin(), complaints.begin(), complaints.end());
    } else if (problems.empty()) {
        auto next = std::make_shared<const config::config>(std::move(*loaded));
        if (auto secrets = bounces_.prepare(*next); !secrets) {
            problems.push_back(secrets.error());
        } else if (auto routes = routes_.load(*next); !routes) {
            problems.push_back(routes.error());
        } else {
            for (const auto& d : config::differences(*config_, *next)) {
                log::event(log::level::info, "config_changed", {{"text", d.text()}});
                ++changed;
            }
            if (rules) {
                classifier_.adopt(std::move(*rules));
                rule_files_ = std::move(files);
                log::event(log::level::info, "rules_changed", {{"files", rule_files_.size()}});
                ++changed;
            }
            config_ = next;
            scheduler_.configure(next);
            server_.configure(next);
            lists_.configure(next);
            bounces_.configure(next);
            apply_log(next->log);
            dns_.reload();
            scheduler_.poke();
        }
    }
    for (const auto& p : problems) {
        log::event(log::level::error, "reload_refused", {{"text", p}}, "9e8d7c6b5a4f4e3d8c2b1a0f9e8d7c6b");
    }
    meters_.config_last_reload_successful.set(problems.empty() ? 1 : 0);
    if (problems.empty()) {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        meters_.config_last_reload_success_timestamp_seconds.set(std::chrono::duration<double>(now).count());
        log::event(log::level::info, "reloaded", {{"changes", changed}});
        notify_.send("READY=1\nSTATUS=accepting and sending mail");
    } else {
        notify_.send("READY=1\nSTATUS=reload refused: " + printable(problems.front(), 200));
    }
    co_return;
}

asio::awaitable<void> app::watch() {
    asio::steady_timer timer{loop_};
    const auto stop = co_await asio::this_coro::cancellation_state;
    while (stop.cancelled() == asio::cancellation_type::none) {
        timer.expires_after(*notify_.watchdog_interval());
        boost::system::error_code ec;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        // Comes back only when loop and store both move.
        const auto counted = co_await queue_.count();
        if (counted || counted.error() == errc::store_failed) {
            notify_.send("WATCHDOG=1");
        }
    }
}

asio::awaitable<void> app::sample() {
    asio::steady_timer timer{loop_};
    const auto stop = co_await asio::this_coro::cancellation_state;
    while (stop.cancelled() == asio::cancellation_type::none) {
        const auto due = std::chrono::steady_clock::now() + sample_interval;
        timer.expires_at(due);
        boost::system::error_code ec;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        if (ec) {
            co_return;
        }
        meters_.event_loop_lag.observe(std::chrono::steady_clock::now() - due);
        meters_.store_healthy.set(queue_.health() ? 0 : 1);
        meters_.unclassified_replies.set(classifier_.unmatched_count());
        auto counted = co_await queue_.count();
        if (!counted) {
            continue;
        }
        std::uint64_t waiting = 0;
        for (std::size_t i = 0; i < store::state_count; ++i) {
            meters_.queue_recipients[static_cast<store::state>(i)].set(counted->by_state[i]);
            waiting += store::is_final(static_cast<store::state>(i)) ? 0 : counted->by_state[i];
        }
        const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
        const auto age = counted->oldest_due ? now - *counted->oldest_due : milliseconds{0};
        meters_.oldest_message_age_seconds.set(std::max<double>(0, std::chrono::duration<double>(age).count())
        );
        std::size_t connections = 0;
        for (auto* r : routes_.all()) {
            const auto s = r->status();
            connections += s.connections;
            meters_.smtp_connections[r->id()].set(s.connections);
        }
        notify_.send(
            "STATUS=" + std::to_string(waiting) + " waiting, " + std::to_string(connections) + " connections"
        );
    }
}

asio::awaitable<void> app::stop() {
    notify_.send("STOPPING=1\nSTATUS=finishing what is under way");
    log::event(log::level::info, "stopping");
    gateway_.begin_stop();
    server_.close();
    lmtp_.close();
    admin_.stop();
    scheduler_.stop();
    routes_.stop(asio::cancellation_type::total);
    if (!co_await routes_.wait(config_->shutdown_grace)) {
        routes_.stop(asio::cancellation_type::terminal);
        (void)co_await routes_.wait(terminal_grace);
    }
    (void)co_await server_.wait(terminal_grace);
    (void)co_await lmtp_.wait(terminal_grace);
    co_await admin_.wait();
    co_await scheduler_.wait();
    co_await queue_.close();
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    log::event(log::level::info, "stopped");
    tasks_.stop(asio::cancellation_type::terminal);
}

}  // namespace estafette
