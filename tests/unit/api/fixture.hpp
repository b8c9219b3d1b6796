// The API on a real Unix socket over the memory engine, with a gateway that does what the test says, and
// a client that sends the bytes it is told to.
#pragma once

#include "estafette/api/server.hpp"
#include "estafette/base/text.hpp"
#include "estafette/store/engine.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <future>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace estafette::api {

namespace json = boost::json;

// A Unix socket client; what it receives is read to the end of a response or of the connection.
class client {
public:
    explicit client(const std::string& path)
        : fd_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.data(), path.size());
        is_connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }

    ~client() {
        if (fd_ >= 0)
            ::close(fd_);
    }

    client(const client&) = delete;
    client& operator=(const client&) = delete;

    [[nodiscard]] bool is_connected() const noexcept { return is_connected_; }

    // False as soon as the server takes no more.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0)
                return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

    struct answer {
        unsigned status = 0;                         // 0: the connection ended without one
        std::map<std::string, std::string> headers;  // names in lower case
        std::string body;

        [[nodiscard]] json::value json() const { return json::parse(body); }

        [[nodiscard]] std::string code() const { return std::string{json().at("code").as_string()}; }

        [[nodiscard]] std::vector<std::string> pointers() const {
            std::vector<std::string> out;
            const auto parsed = json();
            if (const auto* errors = parsed.as_object().if_contains("errors"))
                for (const auto& e : errors->as_array())
                    out.emplace_back(e.at("pointer").as_string());
            return out;
        }
    };

    enum class body_follows { yes, no };

    answer receive(body_follows body = body_follows::yes) {
        answer out;
        std::size_t head_end;
        while ((head_end = received_.find("\r\n\r\n")) == std::string::npos)
            if (!read_more())
                return out;
        read_head(out, received_.substr(0, head_end));
        received_.erase(0, head_end + 4);
        const auto length = out.headers.find("content-length");
        const std::size_t size = length == out.headers.end() ? 0 : std::stoul(length->second);
        if (body == body_follows::no)
            return out;
        while (received_.size() < size && read_more()) {
        }
        out.body = received_.substr(0, size);
        received_.erase(0, std::min(size, received_.size()));
        return out;
    }

    // True when the server closes without another byte.
    bool is_closed_by_server() { return received_.empty() && !read_more() && received_.empty(); }

private:
    bool read_more() {
        pollfd ready{fd_, POLLIN, 0};
        if (::poll(&ready, 1, 20'000) != 1)
            return false;
        char bytes[64 * 1024];
        const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
        if (n <= 0)
            return false;
        received_.append(bytes, static_cast<std::size_t>(n));
        return true;
    }

    static void read_head(answer& out, const std::string& head) {
        out.status = static_cast<unsigned>(std::stoul(head.substr(9, 3)));
        for (std::size_t at = head.find("\r\n"); at != std::string::npos;) {
            const auto next = head.find("\r\n", at + 2);
            const auto line = head.substr(at + 2, next == std::string::npos ? next : next - at - 2);
            const auto colon = line.find(':');
            out.headers[ascii_lower(line.substr(0, colon))] = std::string{trim(line.substr(colon + 1))};
            at = next;
        }
    }

    int fd_;
    bool is_connected_ = false;
    std::string received_;
};

// Commits to the queue as the daemon does; the rest is what the test sets (on the loop).
class scripted_gateway final : public gateway {
public:
    explicit scripted_gateway(store::queue& queue)
        : queue_{queue} {}

    asio::awaitable<result<std::vector<sched::placed>>>
    enqueue(std::vector<sched::arrival> mail, std::optional<sched::group_claim> instead_of) override {
        group_claimed = std::move(instead_of);
        ++enqueue_calls;
        if (enqueue_error)
            co_return enqueue_error;
        std::vector<store::change> changes;
        std::vector<sched::placed> fates;
        for (auto& a : mail) {
            const auto decided = fate_of_key.find(a.mail.message->key);
            fates.push_back(decided == fate_of_key.end() ? sched::placed{} : decided->second);
            fates.back().switched_off = off.contains(a.mail.message->category);
            rules.push_back(a.rule);
            if (fates.back().what != sched::fate::accepted)
                continue;
            messages.push_back(a.mail.message);
            changes.emplace_back(std::move(a.mail));
        }
        const auto done = co_await queue_.commit(std::move(changes));
        if (!done)
            co_return done.error();
        co_return fates;
    }

    asio::awaitable<result<cancel_result>>
    cancel_labelled(store::label_query which, std::string by, std::string why) override {
        labels_cancelled.push_back(
            which.tenant.text() + " " + which.value + " by " + by + (why.empty() ? "" : ": " + why)
        );
        co_return cancel_result{2, 3, in_hand};
    }

    asio::awaitable<result<cancel_result>>
    cancel(message_id id, std::vector<std::uint32_t>, std::string by, std::string why) override {
        const auto seen = co_await queue_.view(id);
        if (!seen)
            co_return seen.error();
        std::vector<store::change> changes;
        for (const auto& r : seen->recipients)
            changes.emplace_back(store::cancelled{r.id, from_unix_ms(0), by, why});
        const auto done = co_await queue_.commit(std::move(changes));
        if (!done)
            co_return done.error();
        co_return cancel_result{1, *done, in_hand};
    }

    asio::awaitable<result<void>> switch_off(store::switched_off what) override {
        std::vector<store::change> one;
        one.push_back(
            store::category_off{what.tenant, what.category, what.since, what.until, what.by, what.why}
        );
        const auto done = co_await queue_.commit(std::move(one));
        if (!done)
            co_return done.error();
        co_return result<void>{};
    }

    asio::awaitable<result<std::size_t>>
    switch_on(tenant_id tenant, std::string category, std::string by) override {
        std::vector<store::change> one;
        one.push_back(store::category_on{tenant, category, from_unix_ms(0), by});
        const auto done = co_await queue_.commit(std::move(one));
        if (!done)
            co_return done.error();
        co_return *done;
    }

    asio::awaitable<result<sched::erase_result>> erase(sched::erase_request what) override {
        erasures.push_back(std::move(what));
        co_return sched::erase_result{3, 2, 1, 0};
    }

    std::vector<route::route_status> routes() const override { return lines; }

    std::optional<wall_time> limited_until(const tenant_id&, std::string_view address) const override {
        const auto found = limits.find(std::string{address});
        return found == limits.end() ? std::nullopt : std::optional{found->second};
    }

    std::optional<hold> hold_of(const tenant_id& tenant, const std::string& sender) const override {
        for (const auto& row : rows)
            if (row.what == store::pause_target::of(tenant) ||
                row.what == store::pause_target::of(tenant, sender))
                return hold{row.why, row.text, row.by, row.since, row.until, row.what};
        const auto found = holds.find(tenant);
        return found == holds.end() ? std::nullopt : std::optional{found->second};
    }

    verdict::domain_fact domain_of(const tenant_id&, std::string_view domain) const override {
        const auto found = domains.find(std::string{domain});
        return found == domains.end() ? verdict::domain_fact{} : found->second;
    }

    std::vector<store::pause> pauses() const override { return rows; }

    asio::awaitable<result<void>> pause(
        store::pause_target what, std::optional<wall_time> until, std::string text, std::string by
    ) override {
        const auto which = what.route();
        if (what.kind != store::pause_kind::route)
            rows.push_back({what, from_unix_ms(0), until, verdict::reason::other, text, by});
        for (auto& line : lines)
            if (line.id == which) {
                line.state = route::route_state::paused;
                line.until = until;
                line.text = text;
                line.by = by;
            }
        co_return result<void>{};
    }

    asio::awaitable<result<void>> resume(store::pause_target what, std::string) override {
        const auto which = what.route();
        if (what.kind != store::pause_kind::route &&
            std::erase_if(rows, [&](const auto& row) { return row.what == what; }) == 0)
            co_return errc::not_found;
        for (auto& line : lines)
            if (line.id == which)
                line.state = route::route_state::active;
        co_return result<void>{};
    }

    unmatched_replies unmatched() const override { return not_known; }
    asio::awaitable<result<bounce::taken>> take_bounce(bounce::mail_in in) override {
        bounces.push_back(std::move(in));
        if (bounce_error)
            co_return bounce_error;
        co_return bounce_answer;
    }

    asio::awaitable<result<bounce::webhook_taken>> take_webhook(bounce::webhook_in in) override {
        webhooks.push_back(std::move(in));
        co_return webhook_answer;
    }

    asio::awaitable<result<std::size_t>> suppress(std::vector<store::suppressed> added) override {
        return queue_.commit({added.begin(), added.end()});
    }

    asio::awaitable<result<std::size_t>>
    unsuppress(tenant_id tenant, std::string address, std::string by) override {
        std::vector<store::change> changes;
        changes.emplace_back(store::unsuppressed{tenant, address, from_unix_ms(0), by});
        return queue_.commit(std::move(changes));
    }

    asio::awaitable<result<std::uint64_t>> count_for(store::action_verb, store::selector whom) override {
        orders.push_back({{}, std::move(whom), "dry run", {}, {}});
        co_return 7;
    }

    asio::awaitable<result<store::action>> act(action_order what) override {
        orders.push_back(what);
        store::action a;
        a.id = acts.size() + 1;
        a.at = from_unix_ms(0);
        a.verb = what.verb;
        a.whom = what.whom;
        a.reason = what.reason;
        a.by = what.by;
        a.expires_at = what.expires_at;
        a.count = 3;
        if (is_quick)
            a.done_at = from_unix_ms(5);
        acts.push_back(a);
        co_return a;
    }

    asio::awaitable<result<store::action>> undo(std::uint64_t id, std::string by) override {
        auto& a = acts.at(id - 1);
        if (a.undone_at)
            co_return errc::conflict;
        a.undone_at = from_unix_ms(9);
        a.undone_by = by;
        co_return a;
    }

    asio::awaitable<result<store::action>> find_action(std::uint64_t id) override {
        if (id > acts.size())
            co_return errc::not_found;
        co_return acts[id - 1];
    }

    asio::awaitable<result<std::vector<store::action>>>
    actions(std::uint64_t below, std::size_t limit) override {
        std::vector<store::action> found;
        for (auto it = acts.rbegin(); it != acts.rend() && found.size() < limit; ++it)
            if (below == 0 || it->id < below)
                found.push_back(*it);
        co_return found;
    }

    readiness ready() const override { return is_ready; }

    std::string metrics_text() override { return "estafette_up 1\n"; }

    std::map<std::string, wall_time> limits;  // by address
    // On the loop; nobody waits for it.
    void cancel_at(message_id id, wall_time at, std::string by, std::string why) {
        std::vector<store::change> one;
        one.push_back(store::cancelled{{id, 0}, at, std::move(by), std::move(why)});
        asio::co_spawn(loop, queue_.commit(std::move(one)), [](const std::exception_ptr&, const auto&) {});
    }

    asio::any_io_executor loop;
    std::size_t enqueue_calls = 0;
    error_code enqueue_error;
    std::size_t in_hand = 0;
    std::map<std::string, sched::placed> fate_of_key;  // others are accepted
    std::vector<sched::key_rule> rules;                // as they came
    std::vector<std::string> labels_cancelled;
    std::optional<sched::group_claim> group_claimed;
    std::set<std::string> off;  // categories
    std::vector<sched::erase_request> erasures;
    std::vector<bounce::mail_in> bounces;
    bounce::taken bounce_answer;
    std::vector<bounce::webhook_in> webhooks;
    bounce::webhook_taken webhook_answer;
    error_code bounce_error;
    std::vector<mail::message_ptr> messages;
    std::vector<route::route_status> lines;
    std::map<tenant_id, hold> holds;
    std::map<std::string, verdict::domain_fact> domains;
    unmatched_replies not_known;
    std::vector<store::pause> rows;
    std::vector<action_order> orders;
    std::vector<store::action> acts;
    bool is_quick = true;
    readiness is_ready{true, {{"store", "ok"}}};

private:
    store::queue& queue_;
};

inline config::grant grant_of(config::role as, std::vector<std::string> tenants, bool all = false) {
    config::grant g;
    g.uid = ::getuid();
    g.as = as;
    g.all_tenants = all;
    for (auto& t : tenants)
        g.tenants.emplace_back(std::move(t));
    return g;
}

class Api : public ::testing::Test {
protected:
    Api()
        : guard_{asio::make_work_guard(io_)} {
        std::string name = (std::filesystem::temp_directory_path() / "estafette-api-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        config_.hostname = "mail.vendor.example";
        config_.store.engine = "memory";
        config_.listeners.push_back({path(), 0600, "", "api"});
        for (const char* tenant : {"default", "acme", "globex"})
            config_.tenants[tenant].id = tenant_id{tenant};
        config_.grants = {grant_of(config::role::admin, {}, true)};
        queue_.emplace(io_.get_executor(), *store::open_engine(config_.store));
        below_.emplace(*queue_);
        below_->loop = io_.get_executor();
        server_.emplace(io_.get_executor(), *queue_, *below_, meters_);
        loop_ = std::jthread{[this] { io_.run(); }};
    }

    ~Api() override {
        on_loop([&] { server_->close(); });
        const bool ended = asio::co_spawn(io_, server_->wait(seconds{5}), asio::use_future).get();
        EXPECT_TRUE(ended) << "a connection did not end";
        asio::co_spawn(io_, queue_->close(), asio::use_future).get();
        on_loop([&] {
            server_.reset();
            below_.reset();
            queue_.reset();
        });
        guard_.reset();
        io_.stop();
        loop_.join();
        std::filesystem::remove_all(folder_);
    }

    template <class F> void on_loop(F f) {
        std::promise<void> done;
        asio::post(io_, [&] {
            f();
            done.set_value();
        });
        done.get_future().get();
    }

    // Takes config_ as it is now.
    void configure() {
        on_loop([&] { server_->configure(std::make_shared<const config::config>(config_)); });
    }

    void start() {
        configure();
        on_loop([&] {
            const auto opened = server_->listen({});
            ASSERT_FALSE(opened.has_error()) << opened.error();
        });
    }

    [[nodiscard]] std::string path() const { return folder_ + "/api.sock"; }

    client::answer call(const std::string& bytes) {
        client c{path()};
        c.send(bytes);
        return c.receive();
    }

    static std::string request_bytes(
        const std::string& method,
        const std::string& target,
        const std::string& body = {},
        const std::string& headers = {}
    ) {
        return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    client::answer get(const std::string& target, const std::string& headers = {}) {
        return call(request_bytes("GET", target, {}, headers));
    }

    client::answer post(const std::string& target, const std::string& body, const std::string& headers = {}) {
        return call(request_bytes("POST", target, body, "Content-Type: application/json\r\n" + headers));
    }

    // An accepted mail; its id.
    std::string enqueue(const std::string& extra = {}) {
        const auto answer = post("/v1/messages", mail_body(extra));
        EXPECT_EQ(answer.status, 202u) << answer.body;
        return std::string{answer.json().at("id").as_string()};
    }

    static std::string mail_body(const std::string& extra = {}) {
        return R"({"from":"a@x.example","to":["b@y.example"],"subject":"s","text":"t")" + extra + "}";
    }

    result<std::size_t> commit(store::change c) {
        std::vector<store::change> changes;
        changes.push_back(std::move(c));
        return asio::co_spawn(io_, queue_->commit(std::move(changes)), asio::use_future).get();
    }

    asio::io_context io_;
    asio::executor_work_guard<asio::io_context::executor_type> guard_;
    std::string folder_;
    config::config config_;
    metrics meters_;
    std::optional<store::queue> queue_;
    std::optional<scripted_gateway> below_;
    std::optional<server> server_;
    std::jthread loop_;
};

}  // namespace estafette::api
