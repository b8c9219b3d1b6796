// Every metric of the daemon as a named member; names, label sets and help sentences are one table in
// metrics.cpp, from which render() and docs/metrics.md come.
//
// Labels are closed sets and route ids, never addresses, domains or tenants. Counters, gauges and
// histograms take relaxed updates from any thread; members by route and render() are the loop's.
// The application owns the one object and passes it by reference.
#pragma once

#include "estafette/base/error.hpp"
#include "estafette/base/metric_cells.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace estafette {

namespace labels {

enum class completion : std::uint8_t { relayed, delivered, failed, cancelled };
enum class opened : std::uint8_t { ok, failed };
enum class tls_failure : std::uint8_t {
    handshake,
    untrusted,
    self_signed,
    expired,
    not_yet_valid,
    name_mismatch,
    pin_mismatch,
    starttls_missing,
    starttls_refused,
};
enum class bounce : std::uint8_t {
    failed,
    delayed,
    delivered,
    complained,
    unsubscribed,
    repeated,
    late,
    unmatched,
    forged,
    auto_reply,
    other,
};
enum class status_class : std::uint8_t { success, redirection, client_error, server_error };

// Of errc's TLS values; handshake for every other code.
[[nodiscard]] tls_failure to_tls_failure(const error_code& e) noexcept;

// Of an HTTP status 200 to 599.
[[nodiscard]] status_class to_status_class(unsigned status) noexcept;

inline constexpr label_set<4> completions{"outcome", {"relayed", "delivered", "failed", "cancelled"}};
inline constexpr label_set<2> openings{"result", {"ok", "failed"}};
inline constexpr label_set<9> tls_failures{
    "reason",
    {"handshake",
     "untrusted",
     "self_signed",
     "expired",
     "not_yet_valid",
     "name_mismatch",
     "pin_mismatch",
     "starttls_missing",
     "starttls_refused"}
};
inline constexpr label_set<11> bounces{
    "outcome",
    {"failed",
     "delayed",
     "delivered",
     "complained",
     "unsubscribed",
     "repeated",
     "late",
     "unmatched",
     "forged",
     "auto_reply",
     "other"}
};
inline constexpr label_set<4> status_classes{"status", {"2xx", "3xx", "4xx", "5xx"}};

// verdict::disposition, verdict::reason, store::state.
inline constexpr label_set<4> dispositions{"disposition", {"accepted", "retry", "fail", "uncertain"}};
inline constexpr label_set<27> reasons{
    "reason", {"accepted",       "unknown_user",       "bad_domain",
               "inactive_user",  "mailbox_full",       "greylisted",
               "rate_limited",   "blocked_reputation", "blocked_content",
               "blocked_policy", "sender_rejected",    "auth_failed",
               "relay_denied",   "message_too_large",  "too_many_recipients",
               "tls_failed",     "dns_failed",         "connection_failed",
               "timeout",        "protocol_error",     "smtputf8_unsupported",
               "server_busy",    "server_error",       "expired",
               "suppressed",     "uncertain",          "other"}
};
// store::pause_kind.
inline constexpr label_set<3> pause_kinds{"kind", {"route", "tenant", "sender"}};

inline constexpr label_set<8> states{
    "state", {"scheduled", "queued", "deferred", "held", "relayed", "delivered", "failed", "cancelled"}
};

}  // namespace labels

inline constexpr std::array<double, 16> latency_bounds{
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 450, 600
};
inline constexpr std::array<double, 14> disk_bounds{
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5
};

struct metrics {
    std::string version = "unknown";  // of estafette_build_info

    counter messages_accepted;
    by<counter, labels::completions> recipients_completed;
    by<by<counter, labels::reasons>, labels::dispositions> delivery_attempts;
    by<gauge, labels::states> queue_recipients;
    gauge oldest_message_age_seconds;
    histogram<latency_bounds> delivery_latency;
    counter uncertain;
    counter recipients_delayed;
    counter unclassified_replies;
    by<counter, labels::bounces> bounces;
    counter webhooks_refused;

    by_route<gauge> smtp_connections;
    by<counter, labels::openings> smtp_connections_opened;
    counter tls_sessions_resumed;
    by<counter, labels::tls_failures> tls_failures;
    by_route<by<gauge, labels::reasons>> route_paused;  // 1 for the reason of the pause; zeros are not shown

    by<gauge, labels::pause_kinds> pauses;
    by<gauge, labels::reasons> held_recipients;
    gauge silent_tenants;
    counter stale_claims;

    histogram<disk_bounds> store_commit_duration;
    histogram<disk_bounds> fsync_duration;
    gauge store_healthy;
    histogram<disk_bounds> event_loop_lag;

    by<counter, labels::status_classes> api_requests;
    gauge config_last_reload_successful;
    gauge config_last_reload_success_timestamp_seconds;
    counter log_dropped;

    counter process_cpu_seconds;  // in whole milliseconds; shown in seconds
    gauge process_resident_memory_bytes;
    gauge process_open_fds;
    gauge process_max_fds;
    gauge process_start_time_seconds;

    // The Prometheus text format 0.0.4.
    [[nodiscard]] std::string render() const;
};

// Fills the process_* members (but the start time) and log_dropped from the system; before render().
void sample_process(metrics& m);

// docs/metrics.md.
[[nodiscard]] std::string print_metrics_reference();

}  // namespace estafette
