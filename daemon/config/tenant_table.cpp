#include "tables.hpp"
#include "values.hpp"

#include <array>
#include <charconv>

namespace estafette::config {

namespace {

constexpr std::array<std::pair<std::string_view, tenant_route>, 2> tenant_routes{{
    {"relay", tenant_route::relay},
    {"own", tenant_route::own},
}};

constexpr std::array<std::pair<std::string_view, bool>, 2> uncertain_choices{{
    {"resend", false},
    {"hold", true},
}};

struct server_value {
    using object = tenant_options;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        o.server = read_route(n, path, r);
        if (o.server)
            o.server->id = route_id{"tenant:" + o.id.text()};
    }
};

std::vector<milliseconds> read_delays(const yaml::node& n, const std::string& path, reading& r) {
    std::vector<milliseconds> delays;
    if (!n.is_sequence() || n.items().empty()) {
        r.errors.add(n, path, "not a list of durations such as [1m, 5m, 15m, 1h, 4h]");
        return delays;
    }
    for (std::size_t i = 0; i < n.items().size(); ++i) {
        const std::string at = path + '[' + std::to_string(i) + ']';
        if (const auto d =
                read_duration(n.items()[i], at, r, milliseconds{one_second}, milliseconds{30 * one_day}))
            delays.push_back(*d);
    }
    return delays;
}

verdict::retry_schedule
read_schedule(const yaml::node& n, const std::string& path, verdict::retry_schedule schedule, reading& r) {
    static constexpr std::array<std::string_view, 2> known{"delays", "jitter"};
    if (!n.is_map()) {
        r.errors.add(n, path, "not a section with delays and jitter");
        return schedule;
    }
    r.errors.add_unknown_keys(n, path, known);
    if (const yaml::node* delays = n.find("delays"))
        schedule.delays = read_delays(*delays, yaml::join(path, "delays"), r);
    if (const yaml::node* jitter = n.find("jitter")) {
        const auto share = yaml::to_double(*jitter);
        if (!share || *share < 0 || *share > 0.5)
            r.errors.add(*jitter, yaml::join(path, "jitter"), "not a number from 0 to 0.5");
        else
            schedule.jitter = *share;
    }
    return schedule;
}

std::string write_schedule(const verdict::retry_schedule& s) {
    std::string out = "{delays: [";
    for (const milliseconds d : s.delays)
        out.append(out.back() == '[' ? "" : ", ").append(format_duration(d));
    std::array<char, 32> jitter{};
    const auto [end, failed] = std::to_chars(jitter.data(), jitter.data() + jitter.size(), s.jitter);
    return out.append("], jitter: ").append(jitter.data(), end) + '}';
}

struct retry_value {
    using object = tenant_options;

    static constexpr std::string_view standard = "default";

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (!n.is_map())
            return r.errors.add(n, path, "not a section of reasons and schedules");
        std::vector<std::string_view> known{standard};
        for (std::size_t i = 0; i < verdict::reason_count; ++i)
            known.push_back(verdict::to_text(static_cast<verdict::reason>(i)));
        r.errors.add_unknown_keys(n, path, known);
        if (const yaml::node* schedule = n.find(standard))
            o.retry.standard = read_schedule(*schedule, yaml::join(path, standard), o.retry.standard, r);
        for (const yaml::member& m : n.members()) {
            if (const auto reason = verdict::parse_reason(m.key))
                o.retry.by_reason[*reason] =
                    read_schedule(m.value, yaml::join(path, m.key), o.retry.of(*reason), r);
        }
    }

    static std::string write(const object& o) {
        std::string out = "{default: " + write_schedule(o.retry.standard);
        for (const auto& [reason, schedule] : o.retry.by_reason)
            out.append(", ").append(verdict::to_text(reason)).append(": ").append(write_schedule(schedule));
        return out + '}';
    }
};

using tenant = tenant_options;

constexpr std::array tenant_rows{
    row<choice_value<member<&tenant::route>, tenant_routes>>(
        "route",
        "relay (the vendor's), or own: the server below and no other; while there is none, the mail is held. "
        "With a server, own is the default."
    ),
    option<tenant>{
        "server",
        &server_value::read,
        nullptr,
        "The tenant's own server, with the options of relay.",
    },
    row<text_list_value<member<&tenant::rates>, check_rate>>(
        "rates",
        "Most messages of this tenant in any second, minute, hour or day; all hold. Others do not wait for "
        "it."
    ),
    row<duration_value<member<&tenant::expire_after>, 60 * one_second, 365 * one_day>>(
        "expire_after", "How long delivery is tried, unless the message says otherwise."
    ),
    row<choice_value<member<&tenant::hold_uncertain>, uncertain_choices>>(
        "uncertain",
        "What happens to mail whose acceptance is in doubt (the connection broke after its end was sent): "
        "resend, which may deliver it twice, or hold for a person."
    ),
    row<retry_value>(
        "retry",
        "Delays before the second, third, … attempt (the last one repeats), spread by the share jitter; per "
        "reason, or default. A server's hint (\"try again in 300 seconds\") replaces the delay."
    ),
    row<text_list_value<member<&tenant::senders>, check_sender>>(
        "senders",
        "Addresses, or domains, that the tenant's mail comes from; the first address sends test mails. For "
        "the "
        "allow-list page and estafette test-mail; nothing is refused by it."
    ),
    row<text_value<member<&tenant::contact>>>(
        "contact", "Whom a customer's IT may ask, as it stands on the allow-list page."
    ),
};

}  // namespace

table<tenant_options> tenant_table() noexcept {
    return tenant_rows;
}

bool is_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    });
}

tenant_options
read_tenant(const yaml::node& n, const std::string& path, const std::string& name, reading& r) {
    tenant_options o;
    o.id = tenant_id{name};
    read_table(n, path, tenant_table(), o, r);
    const yaml::node* route = n.find("route");
    if (o.server && route == nullptr)
        o.route = tenant_route::own;
    if (route != nullptr && o.server && o.route == tenant_route::relay)
        r.errors.add(*route, yaml::join(path, "route"), "relay contradicts the server that is given");
    return o;
}

const tenant_options* config::find_tenant(const tenant_id& id) const {
    const auto found = tenants.find(id.text());
    return found == tenants.end() ? nullptr : &found->second;
}

}  // namespace estafette::config
