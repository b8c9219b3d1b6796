#include "../generated_file.hpp"

#include "estafette/base/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <thread>

namespace estafette {
namespace {

using testing::HasSubstr;
using testing::Not;

enum class colour { red, blue };

std::vector<std::string> names_of(const std::string& page) {
    std::vector<std::string> names;
    std::istringstream in{page};
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("# TYPE "))
            names.push_back(line.substr(7, line.find(' ', 7) - 7));
    }
    return names;
}

TEST(metrics, have_exactly_these_names) {
    EXPECT_THAT(
        names_of(metrics{}.render()),
        testing::ElementsAre(
            "estafette_messages_accepted_total",
            "estafette_recipients_completed_total",
            "estafette_delivery_attempts_total",
            "estafette_queue_recipients",
            "estafette_oldest_message_age_seconds",
            "estafette_delivery_latency_seconds",
            "estafette_uncertain_total",
            "estafette_recipients_delayed_total",
            "estafette_unclassified_replies_total",
            "estafette_bounces_total",
            "estafette_webhooks_refused_total",
            "estafette_smtp_connections",
            "estafette_smtp_connections_opened_total",
            "estafette_tls_sessions_resumed_total",
            "estafette_tls_failures_total",
            "estafette_route_paused",
            "estafette_pauses",
            "estafette_held_recipients",
            "estafette_silent_tenants",
            "estafette_stale_claims_total",
            "estafette_store_commit_duration_seconds",
            "estafette_fsync_seconds",
            "estafette_store_healthy",
            "estafette_event_loop_lag_seconds",
            "estafette_api_requests_total",
            "estafette_config_last_reload_successful",
            "estafette_config_last_reload_success_timestamp_seconds",
            "estafette_log_dropped_total",
            "estafette_build_info",
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_max_fds",
            "process_start_time_seconds"
        )
    );
}

TEST(metrics, are_documented) {
    expect_generated_file("docs/metrics.md", print_metrics_reference());
}

TEST(metrics, show_what_was_counted) {
    metrics m;
    m.version = "1.2\"3";
    m.messages_accepted.add();
    m.messages_accepted.add(2);
    m.recipients_completed[labels::completion::failed].add();
    m.delivery_attempts[1][5].add(4);  // retry, greylisted
    m.queue_recipients[2].set(7u);
    m.oldest_message_age_seconds.set(1.5);
    m.tls_failures[labels::tls_failure::expired].add();
    m.api_requests[labels::to_status_class(422)].add();
    m.process_cpu_seconds.set(1'250);
    m.smtp_connections[route_id{"tenant:acme"}].add(3);
    m.smtp_connections[route_id{"tenant:acme"}].add(-1);
    const std::string page = m.render();
    for (const std::string_view line : {
             "estafette_messages_accepted_total 3\n",
             "estafette_recipients_completed_total{outcome=\"failed\"} 1\n",
             "estafette_recipients_completed_total{outcome=\"relayed\"} 0\n",
             "estafette_delivery_attempts_total{disposition=\"retry\",reason=\"greylisted\"} 4\n",
             "estafette_queue_recipients{state=\"deferred\"} 7\n",
             "estafette_oldest_message_age_seconds 1.5\n",
             "estafette_tls_failures_total{reason=\"expired\"} 1\n",
             "estafette_api_requests_total{status=\"4xx\"} 1\n",
             "estafette_build_info{version=\"1.2\\\"3\"} 1\n",
             "process_cpu_seconds_total 1.25\n",
             "estafette_smtp_connections{route=\"tenant:acme\"} 2\n",
         })
        EXPECT_THAT(page, HasSubstr(std::string{line}));
}

TEST(metrics, count_a_histogram_cumulatively_up_to_infinity) {
    metrics m;
    m.delivery_latency.observe(std::chrono::milliseconds{10});
    m.delivery_latency.observe(std::chrono::milliseconds{11});
    m.delivery_latency.observe(std::chrono::hours{1});
    const std::string page = m.render();
    EXPECT_THAT(page, HasSubstr("estafette_delivery_latency_seconds_bucket{le=\"0.01\"} 1\n"));
    EXPECT_THAT(page, HasSubstr("estafette_delivery_latency_seconds_bucket{le=\"0.025\"} 2\n"));
    EXPECT_THAT(page, HasSubstr("estafette_delivery_latency_seconds_bucket{le=\"600\"} 2\n"));
    EXPECT_THAT(page, HasSubstr("estafette_delivery_latency_seconds_bucket{le=\"+Inf\"} 3\n"));
    EXPECT_THAT(page, HasSubstr("estafette_delivery_latency_seconds_sum 3600.021\n"));
    EXPECT_THAT(page, HasSubstr("estafette_delivery_latency_seconds_count 3\n"));
}

TEST(metrics, show_a_pause_only_with_its_reason) {
    metrics m;
    const route_id relay{"relay"};
    m.route_paused[relay][11].set(1);  // auth_failed
    EXPECT_THAT(
        m.render(), HasSubstr("\nestafette_route_paused{route=\"relay\",reason=\"auth_failed\"} 1\n")
    );
    EXPECT_THAT(m.render(), Not(HasSubstr("estafette_route_paused{route=\"relay\",reason=\"timeout\"}")));
    m.route_paused.erase(relay);
    EXPECT_THAT(m.render(), Not(HasSubstr("estafette_route_paused{")));
}

TEST(metrics, keep_to_the_text_format) {
    metrics m;
    m.smtp_connections[route_id{"relay"}].set(1);
    std::istringstream in{m.render()};
    std::set<std::string> seen;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with('#'))
            continue;
        EXPECT_THAT(
            line, testing::MatchesRegex("[a-z_]+([{][a-z]+=\"[^\"]+\"(,[a-z]+=\"[^\"]+\")*[}])? -?[0-9.e+-]+")
        );
        EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second) << "twice: " << line;
    }
}

TEST(metrics, take_counts_of_several_threads) {
    metrics m;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&m] {
                for (int i = 0; i < 1000; ++i)
                    m.fsync_duration.observe(std::chrono::microseconds{100});
            });
    }
    EXPECT_THAT(m.render(), HasSubstr("estafette_fsync_seconds_count 4000\n"));
}

TEST(metrics, sample_the_process) {
    metrics m;
    sample_process(m);
    EXPECT_GT(m.process_resident_memory_bytes.value(), 1e6);
    EXPECT_GE(m.process_open_fds.value(), 3);
    EXPECT_GE(m.process_max_fds.value(), m.process_open_fds.value());
}

TEST(metric_labels, tell_tls_failures_apart) {
    EXPECT_EQ(labels::to_tls_failure(errc::tls_expired), labels::tls_failure::expired);
    EXPECT_EQ(labels::to_tls_failure(errc::starttls_missing), labels::tls_failure::starttls_missing);
    EXPECT_EQ(labels::to_tls_failure(errc::tls_handshake), labels::tls_failure::handshake);
    EXPECT_EQ(labels::to_tls_failure(errc::timeout), labels::tls_failure::handshake);
}

TEST(metric_labels, are_set_by_enum) {
    static constexpr label_set<2> colours{"colour", {"red", "blue"}};
    by<counter, colours> cells;
    cells[colour::blue].add();
    EXPECT_EQ(cells[1].value(), 1u);
}

}  // namespace
}  // namespace estafette
