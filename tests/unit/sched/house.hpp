// The scheduler, the routes and the connections together, over the memory store and a real socket.
#pragma once

#include "scarce_engine.hpp"
#include "server.hpp"

#include "estafette/net/dns.hpp"
#include "estafette/sched/administration.hpp"
#include "estafette/sched/scheduler.hpp"
#include "estafette/store/queue.hpp"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace estafette::sched {

class house : public ::testing::Test {
public:
    house()
        : queue_{loop_.get_executor(), std::make_unique<scarce_engine>(open_memory(), disk_)}
        , classifier_{verdict::classifier::standard()}
        , slate_{store::slate::in_memory(64)}
        , dns_{loop_.get_executor()}
        , routes_{loop_.get_executor(), {dns_, classifier_, scheduler_, meters_, slate_, verp_}}
        , lists_{queue_}
        , scheduler_{loop_.get_executor(), queue_, lists_, routes_, classifier_, meters_}
        , admin_{loop_.get_executor(), queue_, scheduler_}
        , tasks_{loop_.get_executor()}
        , server_{loop_} {}

    static std::unique_ptr<store::engine> open_memory() {
        config::store_options o;
        o.engine = "memory";
        return *store::open_engine(o);
    }

    static config::route_options options(const char* id, std::uint16_t port) {
        config::route_options o;
        o.id = route_id{id};
        o.servers = {{"127.0.0.1", port, 10, 10}};
        o.mode = config::tls_mode::none;
        o.policy = config::tls_policy::none;
        o.allow_private = true;
        o.connections = 4;
        o.idle = seconds{1};
        return o;
    }

    void start(config::config c) {
        if (!c.tenants.contains("default")) {
            c.tenants["default"].id = tenant_id{"default"};
        }
        c.hostname = "client.example";
        auto shared = std::make_shared<const config::config>(std::move(c));
        scheduler_.configure(shared);
        lists_.configure(shared);
        ASSERT_TRUE(routes_.load(*shared));
        server_.start();
        tasks_.spawn("scheduler", scheduler_.run());
    }

    void start_with_relay() {
        config::config c;
        c.relay = options("relay", server_.port());
        start(std::move(c));
    }

    mail::message_ptr make(
        std::vector<std::string> to, const char* tenant = "default", const char* from = "app@vendor.example"
    ) {
        auto m = std::make_shared<mail::message>();
        std::array<std::uint8_t, 10> random{};
        random[9] = ++made_;
        const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
        m->id = message_id::make(now, random);
        m->tenant = tenant_id{tenant};
        m->from = *mail::address::parse(from);
        for (const auto& a : to) {
            m->to.push_back(*mail::address::parse(a));
        }
        m->body = std::make_shared<const std::string>("Subject: hi\r\n\r\nhello\r\n");
        m->facts.size = m->body->size();
        m->accepted_at = m->due_at = now;
        m->expires_at = now + std::chrono::hours{1};
        return m;
    }

    // Runs the loop until the task is done; false after 20 s.
    bool run(asio::awaitable<void> task) {
        bool done = false;
        asio::co_spawn(loop_, std::move(task), [&](const std::exception_ptr& e) {
            EXPECT_FALSE(e);
            done = true;
        });
        const auto deadline = std::chrono::steady_clock::now() + seconds{20};
        while (!done && std::chrono::steady_clock::now() < deadline) {
            loop_.run_one_for(milliseconds{50});
        }
        return done;
    }

    asio::awaitable<void> accept(mail::message_ptr m) {
        std::vector<arrival> one(1);
        one.front().mail.message = std::move(m);
        auto done = co_await scheduler_.enqueue(std::move(one));
        EXPECT_TRUE(done);
    }

    asio::awaitable<store::message_view> view(message_id id) {
        auto v = co_await queue_.view(id);
        co_return *v;
    }

    // Until every recipient of the message is in one of the states.
    asio::awaitable<store::message_view> until(message_id id, std::vector<store::state> states) {
        for (int i = 0; i < 800; ++i) {
            auto v = co_await view(id);
            if (std::ranges::all_of(v.recipients, [&](const auto& r) {
                    return std::ranges::count(states, r.now) != 0;
                })) {
                co_return v;
            }
            asio::steady_timer pause{loop_, milliseconds{20}};
            co_await pause.async_wait(asio::use_awaitable);
        }
        ADD_FAILURE() << "the message never reached the state";
        co_return co_await view(id);
    }

    asio::awaitable<void> until_told(message_id id) {
        for (int i = 0; i < 800; ++i) {
            const auto v = co_await view(id);
            if (v.timeline.back().type == "delayed") {
                co_return;
            }
            co_await pause_for(milliseconds{20});
        }
        ADD_FAILURE() << "nobody was told";
    }

    asio::awaitable<void> pause_for(milliseconds d) {
        asio::steady_timer pause{loop_, d};
        co_await pause.async_wait(asio::use_awaitable);
    }

    void TearDown() override { run(end()); }

    asio::awaitable<void> end() {
        admin_.stop();
        scheduler_.stop();
        routes_.stop(asio::cancellation_type::total);
        const bool ended = co_await routes_.wait(seconds{5});
        EXPECT_TRUE(ended) << "a worker does not stop";
        co_await admin_.wait();
        co_await scheduler_.wait();
        server_.stop();
        co_await queue_.close();
        tasks_.stop(asio::cancellation_type::terminal);
    }

    std::shared_ptr<disk> disk_ = std::make_shared<disk>();
    asio::io_context loop_{1};
    metrics meters_;
    store::queue queue_;
    verdict::classifier classifier_;
    store::slate slate_;
    mail::verp_keys verp_;
    net::resolver dns_;
    route::table routes_;
    store::suppressions lists_;
    scheduler scheduler_;
    administration admin_;
    net::task_group tasks_;
    server server_;
    std::uint8_t made_ = 0;
};

}  // namespace estafette::sched
