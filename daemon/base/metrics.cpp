#include "estafette/base/metrics.hpp"

#include "estafette/base/log.hpp"
#include "estafette/base/text.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace estafette {

namespace {

enum class family : std::uint8_t { counter, gauge, histogram };

constexpr std::string_view to_text(family f) noexcept {
    switch (f) {
    case family::counter: return "counter";
    case family::gauge: return "gauge";
    case family::histogram: return "histogram";
    }
    return {};
}

std::string to_text(double v) {
    std::array<char, 32> buffer{};
    const auto [end, failed] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v);
    return {buffer.data(), end};
}

// The samples of one metric: walks its labels from the outside in.
class page {
public:
    page(std::string& out, std::string_view name)
        : out_{out}
        , name_{name} {}

    void put(const counter& c) { line("", std::to_string(c.value())); }

    void put(const gauge& g) { line("", to_text(g.value())); }

    template <const auto& Bounds> void put(const histogram<Bounds>& h) {
        std::uint64_t total = 0;
        for (std::size_t i = 0; i < Bounds.size(); ++i) {
            total += h.cell(i);
            const within bucket{*this, "le", to_text(Bounds[i])};
            line("_bucket", std::to_string(total));
        }
        total += h.cell(Bounds.size());
        {
            const within bucket{*this, "le", "+Inf"};
            line("_bucket", std::to_string(total));
        }
        line("_sum", to_text(h.sum()));
        line("_count", std::to_string(total));
    }

    template <class Cell, const auto& Label> void put(const by<Cell, Label>& cells) {
        for (std::size_t i = 0; i < Label.values.size(); ++i) {
            const within value{*this, Label.key, Label.values[i]};
            put(cells[i]);
        }
    }

    template <class Cell> void put(const by_route<Cell>& routes) {
        for (const auto& [id, cell] : routes.cells()) {
            const within route{*this, "route", id.text()};
            put(cell);
        }
    }

    // Only what is not zero: thousands of routes times all reasons would say nothing.
    void put_set(const by_route<by<gauge, labels::reasons>>& routes) {
        for (const auto& [id, cells] : routes.cells()) {
            const within route{*this, "route", id.text()};
            for (std::size_t i = 0; i < labels::reasons.values.size(); ++i) {
                if (cells[i].value() == 0)
                    continue;
                const within reason{*this, labels::reasons.key, labels::reasons.values[i]};
                put(cells[i]);
            }
        }
    }

    void line(std::string_view suffix, std::string_view value) {
        out_.append(name_).append(suffix);
        if (!labels_.empty())
            out_.append("{").append(labels_).append("}");
        out_.append(" ").append(value).append("\n");
    }

    // A label, as long as it lives.
    class within {
    public:
        within(page& p, std::string_view key, std::string_view value)
            : page_{p}
            , former_{p.labels_.size()} {
            if (former_ != 0)
                p.labels_ += ',';
            p.labels_.append(key).append("=\"");
            for (const char c : printable(value)) {
                if (c == '"' || c == '\\')
                    p.labels_ += '\\';
                p.labels_ += c;
            }
            p.labels_ += '"';
        }

        ~within() { page_.labels_.resize(former_); }

        within(const within&) = delete;
        within& operator=(const within&) = delete;

    private:
        page& page_;
        std::size_t former_;
    };

private:
    std::string& out_;
    std::string_view name_;
    std::string labels_;
};

struct row {
    std::string_view name;
    family kind;
    std::string_view labels;
    std::string_view help;
    void (*write)(const metrics& m, page& p);
};

template <auto Member> void put(const metrics& m, page& p) {
    p.put(m.*Member);
}

// One row per metric. The order is the order of the page and of docs/metrics.md.
constexpr row rows[]{
    {"estafette_messages_accepted_total",
     family::counter,
     "",
     "Messages accepted from callers, durable in the store.",
     put<&metrics::messages_accepted>},
    {"estafette_recipients_completed_total",
     family::counter,
     "outcome",
     "Recipients that reached a final state.",
     put<&metrics::recipients_completed>},
    {"estafette_delivery_attempts_total",
     family::counter,
     "disposition, reason",
     "Delivery attempts by what came of them, one per recipient and attempt.",
     put<&metrics::delivery_attempts>},
    {"estafette_queue_recipients",
     family::gauge,
     "state",
     "Recipients in the store by state.",
     put<&metrics::queue_recipients>},
    {"estafette_oldest_message_age_seconds",
     family::gauge,
     "",
     "How long the recipient that waits longest has been due; 0 if none waits.",
     put<&metrics::oldest_message_age_seconds>},
    {"estafette_delivery_latency_seconds",
     family::histogram,
     "",
     "From the time a recipient was due first to the server's acceptance.",
     put<&metrics::delivery_latency>},
    {"estafette_uncertain_total",
     family::counter,
     "",
     "Attempts that ended after the final dot without an answer: perhaps accepted, perhaps not.",
     put<&metrics::uncertain>},
    {"estafette_recipients_delayed_total",
     family::counter,
     "",
     "Recipients whose mail waited longer than delayed_after, each once.",
     put<&metrics::recipients_delayed>},
    {"estafette_unclassified_replies_total",
     family::counter,
     "",
     "Refusals that no rule knows, judged by their code alone.",
     put<&metrics::unclassified_replies>},
    {"estafette_bounces_total",
     family::counter,
     "outcome",
     "Reports that came back (bounces, complaints, confirmations) by what became of them; all from "
     "\"repeated\" on changed nothing.",
     put<&metrics::bounces>},
    {"estafette_webhooks_refused_total",
     family::counter,
     "",
     "Requests in the name of a provider that were not proven to be its own.",
     put<&metrics::webhooks_refused>},
    {"estafette_smtp_connections",
     family::gauge,
     "route",
     "Connections open now.",
     put<&metrics::smtp_connections>},
    {"estafette_smtp_connections_opened_total",
     family::counter,
     "result",
     "Attempts to open a connection, until it could take mail.",
     put<&metrics::smtp_connections_opened>},
    {"estafette_tls_sessions_resumed_total",
     family::counter,
     "",
     "TLS handshakes that resumed an earlier session.",
     put<&metrics::tls_sessions_resumed>},
    {"estafette_tls_failures_total",
     family::counter,
     "reason",
     "Connections given up because of TLS.",
     put<&metrics::tls_failures>},
    {"estafette_route_paused",
     family::gauge,
     "route, reason",
     "1 while the route is paused for this reason; absent otherwise.",
     [](const metrics& m, page& p) { p.put_set(m.route_paused); }},
    {"estafette_pauses",
     family::gauge,
     "kind",
     "Routes, tenants and senders whose mail is kept back: by a person, or a sender that its server refuses.",
     put<&metrics::pauses>},
    {"estafette_held_recipients",
     family::gauge,
     "reason",
     "Recipients that wait until somebody acts, by the reason that says who; of the oldest 10,000 in each "
     "state.",
     put<&metrics::held_recipients>},
    {"estafette_silent_tenants",
     family::gauge,
     "",
     "Tenants whose due mail is not tried though nothing holds it; anything but 0 is a fault of ours.",
     put<&metrics::silent_tenants>},
    {"estafette_stale_claims_total",
     family::counter,
     "",
     "Claims that neither a route nor a connection had; their recipients went back to the queue.",
     put<&metrics::stale_claims>},
    {"estafette_store_commit_duration_seconds",
     family::histogram,
     "",
     "Duration of a batch's commit to the store.",
     put<&metrics::store_commit_duration>},
    {"estafette_fsync_seconds",
     family::histogram,
     "",
     "Duration of one flush of the store to the disk.",
     put<&metrics::fsync_duration>},
    {"estafette_store_healthy",
     family::gauge,
     "",
     "1 while the store takes changes, 0 after it failed.",
     put<&metrics::store_healthy>},
    {"estafette_event_loop_lag_seconds",
     family::histogram,
     "",
     "How late the event loop's timer came.",
     put<&metrics::event_loop_lag>},
    {"estafette_api_requests_total",
     family::counter,
     "status",
     "Requests answered by the API, by class of status.",
     put<&metrics::api_requests>},
    {"estafette_config_last_reload_successful",
     family::gauge,
     "",
     "1 if the configuration in use is what was read last, 0 if a reload was refused.",
     put<&metrics::config_last_reload_successful>},
    {"estafette_config_last_reload_success_timestamp_seconds",
     family::gauge,
     "",
     "When the configuration in use was read, in seconds since 1970.",
     put<&metrics::config_last_reload_success_timestamp_seconds>},
    {"estafette_log_dropped_total",
     family::counter,
     "",
     "Log events that the journal did not take.",
     put<&metrics::log_dropped>},
    {"estafette_build_info",
     family::gauge,
     "version",
     "Always 1; the label carries the version.",
     [](const metrics& m, page& p) {
         const page::within version{p, "version", m.version};
         p.line("", "1");
     }},
    {"process_cpu_seconds_total",
     family::counter,
     "",
     "Processor time used, user and system.",
     [](const metrics& m, page& p) {
         p.line("", to_text(static_cast<double>(m.process_cpu_seconds.value()) / 1000));
     }},
    {"process_resident_memory_bytes",
     family::gauge,
     "",
     "Resident memory.",
     put<&metrics::process_resident_memory_bytes>},
    {"process_open_fds", family::gauge, "", "Open file descriptors.", put<&metrics::process_open_fds>},
    {"process_max_fds", family::gauge, "", "Most file descriptors allowed.", put<&metrics::process_max_fds>},
    {"process_start_time_seconds",
     family::gauge,
     "",
     "When the process started, in seconds since 1970.",
     put<&metrics::process_start_time_seconds>},
};

}  // namespace

namespace labels {

tls_failure to_tls_failure(const error_code& e) noexcept {
    static constexpr std::pair<errc, tls_failure> known[]{
        {errc::tls_untrusted, tls_failure::untrusted},
        {errc::tls_self_signed, tls_failure::self_signed},
        {errc::tls_expired, tls_failure::expired},
        {errc::tls_not_yet_valid, tls_failure::not_yet_valid},
        {errc::tls_name_mismatch, tls_failure::name_mismatch},
        {errc::tls_pin_mismatch, tls_failure::pin_mismatch},
        {errc::starttls_missing, tls_failure::starttls_missing},
        {errc::starttls_refused, tls_failure::starttls_refused},
    };
    for (const auto& [code, failure] : known) {
        if (e == code)
            return failure;
    }
    return tls_failure::handshake;
}

status_class to_status_class(unsigned status) noexcept {
    if (status < 300)
        return status_class::success;
    if (status < 400)
        return status_class::redirection;
    return status < 500 ? status_class::client_error : status_class::server_error;
}

}  // namespace labels

std::string metrics::render() const {
    std::string out;
    out.reserve(64 * 1024);
    for (const row& r : rows) {
        out.append("# HELP ").append(r.name).append(" ").append(r.help).append("\n");
        out.append("# TYPE ").append(r.name).append(" ").append(to_text(r.kind)).append("\n");
        page p{out, r.name};
        r.write(*this, p);
    }
    return out;
}

void sample_process(metrics& m) {
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) == 0) {
        const auto ms = [](const timeval& t) {
            return static_cast<std::uint64_t>(t.tv_sec) * 1000 + static_cast<std::uint64_t>(t.tv_usec) / 1000;
        };
        m.process_cpu_seconds.set(ms(used.ru_utime) + ms(used.ru_stime));
    }
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0)
        m.process_max_fds.set(files.rlim_cur);
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    if (std::ifstream{"/proc/self/statm"} >> size >> resident)
        m.process_resident_memory_bytes.set(resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
    std::error_code failed;
    std::size_t open = 0;
    for (auto i = std::filesystem::directory_iterator{"/proc/self/fd", failed};
         !failed && i != std::filesystem::directory_iterator{};
         i.increment(failed))
        ++open;
    if (open != 0)
        m.process_open_fds.set(open - 1);  // without the one that reads the directory
    m.log_dropped.set(log::dropped());
}

std::string print_metrics_reference() {
    std::string out =
        "# Metrics\n\n"
        "`GET /metrics` answers in the Prometheus text format. Labels have few values, known beforehand: no\n"
        "addresses, domains or tenants. This page is generated (`scripts/generate`) from the table in\n"
        "`daemon/base/metrics.cpp`.\n\n"
        "| metric | type | labels | |\n|---|---|---|---|\n";
    for (const row& r : rows) {
        out.append("| `").append(r.name).append("` | ").append(to_text(r.kind)).append(" | ");
        out.append(r.labels).append(r.labels.empty() ? "| " : " | ").append(r.help).append(" |\n");
    }
    return out;
}

}  // namespace estafette
