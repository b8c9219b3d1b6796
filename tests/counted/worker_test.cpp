// A message's way from its route's queue through a connection, real sockets and TLS to its report allocates
// nothing once the memory of earlier ones is there.
#include "allocations.hpp"
#include "relay.hpp"

#include "estafette/net/dns.hpp"
#include "estafette/route/route.hpp"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <ostream>
#include <string>

using namespace estafette;

namespace {

namespace asio = boost::asio;

constexpr std::size_t warm_up = 50;
constexpr std::size_t measured = 200;

// Takes reports and keeps none; notes the allocations when the warm-up is over and at the end.
class counting_reporter final : public route::reporter {
public:
    asio::awaitable<bool> record(route::route&, std::span<const route::attempt_report> reports) override {
        for (const auto& r : reports) {
            accepted_ += r.result.recipients.at(0).what.is_accepted() ? 1 : 0;
            ++recorded_;
            if (recorded_ == warm_up) {
                before_ = counted::allocations();
            } else if (recorded_ == warm_up + measured) {
                after_ = counted::allocations();
            }
        }
        co_return true;
    }

    void give_back(std::vector<route::job> jobs) override { given_back_ += jobs.size(); }
    void postpone(route::job, wall_time) override { ++given_back_; }
    void on_paused(route::route&) override {}
    void on_resumed(route::route&) override {}
    void on_room(route::route&) override {}

    std::size_t recorded_ = 0, accepted_ = 0, given_back_ = 0;
    std::uint64_t before_ = 0, after_ = 0;
};

struct kind {
    const char* name;
    counted::security how;
    const char* extensions;
};

void PrintTo(const kind& k, std::ostream* out) {
    *out << k.name;
}

class Worker : public testing::TestWithParam<kind> {
public:
    static config::route_options options(const kind& k, std::uint16_t port) {
        config::route_options o;
        o.id = route_id{"relay"};
        o.servers = {{"127.0.0.1", port, 10, 10}};
        o.mode = k.how == counted::security::tls ? config::tls_mode::implicit : config::tls_mode::none;
        o.policy = k.how == counted::security::tls ? config::tls_policy::required_unverified
                                                   : config::tls_policy::none;
        o.allow_private = true;
        o.connections = 1;
        o.messages_per_connection = 10'000;
        return o;
    }

    static route::job job_of(std::uint8_t number) {
        auto m = std::make_shared<mail::message>();
        m->id = message_id{message_id::bytes_type{1, number}};
        m->tenant = tenant_id{"default"};
        m->from = mail::address::parse("somebody@vendor.example").value();
        m->to.push_back(mail::address::parse("somebody.else@customer.example").value());
        std::string body = "Subject: hello\r\n\r\n";
        while (body.size() < 4096) {
            body += "A line of a mail.\r\n";
        }
        m->body = std::make_shared<const std::string>(std::move(body));
        m->facts.size = m->body->size();
        m->expires_at = wall_time::max();
        return {std::move(m), {{0, 0}}};
    }
};

TEST_P(Worker, AllocatesNothingForAMessage) {
    counted::relay server{GetParam().how, GetParam().extensions};
    asio::io_context loop{1};
    net::resolver dns{loop.get_executor()};
    const auto classifier = verdict::classifier::standard();
    counting_reporter reports;
    metrics meters;
    auto slate = store::slate::in_memory(8);
    const mail::verp_keys verp;
    route::route route{
        loop.get_executor(),
        options(GetParam(), server.port()),
        "client.example",
        {},
        {dns, classifier, reports, meters, slate, verp}
    };
    for (std::size_t i = 0; i < warm_up + measured; ++i) {
        route.offer(job_of(static_cast<std::uint8_t>(i)));
    }
    const auto deadline = std::chrono::steady_clock::now() + seconds{20};
    while (reports.recorded_ < warm_up + measured && std::chrono::steady_clock::now() < deadline) {
        loop.run_one_for(milliseconds{50});
    }
    route.stop(asio::cancellation_type::total);
    while (!route.has_ended() && std::chrono::steady_clock::now() < deadline) {
        loop.run_one_for(milliseconds{50});
    }
    EXPECT_EQ(reports.accepted_, warm_up + measured);
    EXPECT_EQ(reports.after_ - reports.before_, 0u) << "for " << measured << " messages";
}

INSTANTIATE_TEST_SUITE_P(
    EveryMode,
    Worker,
    testing::Values(
        kind{"lockstep", counted::security::clear, ""},
        kind{"across messages", counted::security::clear, "250-PIPELINING\r\n250-DSN\r\n"},
        kind{"across messages over TLS", counted::security::tls, "250-PIPELINING\r\n250-DSN\r\n"}
    )
);

}  // namespace
