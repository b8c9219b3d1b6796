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

constexpr std::array<std::string_view, 7> day_words{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

// "mon", "mon-fri", "sat-mon"
bool read_days(std::string_view text, std::array<bool, 7>& days) {
    const auto find = [](std::string_view word) {
        return static_cast<std::size_t>(
            std::find(day_words.begin(), day_words.end(), word) - day_words.begin()
        );
    };
    const auto dash = text.find('-');
    const auto first = find(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : find(text.substr(dash + 1));
    if (first == day_words.size() || last == day_words.size())
        return false;
    for (std::size_t i = first;; i = (i + 1) % day_words.size()) {
        days.at(i) = true;
        if (i == last)
            return true;
    }
}

// "08:00-19:00", up to 24:00
bool read_hours(std::string_view text, send_window& w) {
    const auto clock = [&](std::size_t at, std::chrono::minutes& into) {
        const auto digit = [&](std::size_t i) { return text[at + i] - '0'; };
        for (const std::size_t i : {0u, 1u, 3u, 4u})
            if (text[at + i] < '0' || text[at + i] > '9')
                return false;
        into = std::chrono::hours{digit(0) * 10 + digit(1)} + std::chrono::minutes{digit(3) * 10 + digit(4)};
        return text[at + 2] == ':' && digit(3) < 6 && into <= std::chrono::hours{24};
    };
    return text.size() == 11 && text[5] == '-' && clock(0, w.opens) && clock(6, w.closes) &&
           w.opens != w.closes && w.opens < std::chrono::hours{24};
}

void read_window_days(const yaml::node& n, const std::string& path, send_window& w, reading& r) {
    w.days.fill(false);
    bool fits = n.is_sequence() && !n.items().empty();
    for (std::size_t i = 0; fits && i < n.items().size(); ++i)
        fits = n.items()[i].is_scalar() && read_days(n.items()[i].scalar(), w.days);
    if (!fits)
        r.errors.add(n, path, "not a list of days such as [mon, tue] or [mon-fri]");
}

void read_window_mail(const yaml::node& n, const std::string& path, send_window& w, reading& r) {
    w.bulk = w.transactional = false;
    bool fits = n.is_sequence() && !n.items().empty();
    for (std::size_t i = 0; fits && i < n.items().size(); ++i) {
        const std::string word = n.items()[i].is_scalar() ? n.items()[i].scalar() : "";
        w.bulk = w.bulk || word == "bulk";
        w.transactional = w.transactional || word == "transactional";
        fits = word == "bulk" || word == "transactional";
    }
    if (!fits)
        r.errors.add(n, path, "not a list of bulk and transactional");
}

// Where it is found.
void read_zone(const yaml::node& n, const std::string& path, zone& into, reading& r) {
    const auto found = n.is_scalar() ? zone::find(n.scalar()) : result<zone>{errc::not_found};
    if (found)
        into = *found;
    else
        r.errors.add(n, path, "not a time zone such as Europe/Paris");
}

struct zone_value {
    using object = tenant_options;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        read_zone(n, path, o.time_zone, r);
    }

    static std::string write(const object& o) { return quoted(o.time_zone.name()); }
};

struct window_value {
    using object = tenant_options;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        static constexpr std::array<std::string_view, 4> known{"days", "hours", "time_zone", "applies_to"};
        if (n.is_scalar() && n.scalar() == "none") {
            o.send_window.reset();
            return;
        }
        if (!n.is_map())
            return r.errors.add(
                n, path, "not none and not a section with days, hours, time_zone and applies_to"
            );
        r.errors.add_unknown_keys(n, path, known);
        send_window w;
        if (const yaml::node* days = n.find("days"))
            read_window_days(*days, yaml::join(path, "days"), w, r);
        if (const yaml::node* hours = n.find("hours"))
            if (!hours->is_scalar() || !read_hours(hours->scalar(), w))
                r.errors.add(*hours, yaml::join(path, "hours"), "not hours such as \"08:00-19:00\"");
        w.where = o.time_zone;  // its row comes before this one
        if (const yaml::node* where = n.find("time_zone"))
            read_zone(*where, yaml::join(path, "time_zone"), w.where, r);
        if (const yaml::node* what = n.find("applies_to"))
            read_window_mail(*what, yaml::join(path, "applies_to"), w, r);
        o.send_window = std::move(w);
    }

    static std::string write(const object& o) {
        if (!o.send_window)
            return "none";
        const send_window& w = *o.send_window;
        std::string days;
        for (std::size_t i = 0; i < day_words.size(); ++i)
            if (w.days.at(i))
                days.append(days.empty() ? "" : ", ").append(day_words.at(i));
        const std::string text = to_text(w);
        const auto hours = text.substr(text.find(' ') + 1, 11);
        return "{days: [" + days + "], hours: \"" + hours + "\", time_zone: " + quoted(w.where.name()) +
               ", applies_to: [" + (w.bulk ? "bulk" : "") + (w.bulk && w.transactional ? ", " : "") +
               (w.transactional ? "transactional" : "") + "]}";
    }
};

const char* check_category(std::string& text) {
    return text.empty() || text.size() > 255 ? "not a category of 1 to 255 bytes" : nullptr;
}

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
    row<zone_value>(
        "time_zone",
        "Where the tenant's readers are (IANA name, such as Europe/Paris): times in explanations and letters "
        "are those of the clocks there, and so are send_window and sequences unless they name a zone."
    ),
    row<window_value>(
        "send_window",
        "When the tenant's mail may leave: {days: [mon-fri], hours: \"08:00-19:00\", time_zone: "
        "Europe/Paris, "
        "applies_to: [bulk]}, or none for any time. What is left out: every day, the whole day, the time "
        "zone "
        "above, bulk."
    ),
    row<text_list_value<member<&tenant::categories_off>, check_category>>(
        "categories_off",
        "Kinds of mail (the category of a message) that this tenant does not want: such mail is accepted and "
        "cancelled as switched off. estafette category switches more of them, while the daemon runs."
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

const route_options* config::route_of(const tenant_options& tenant) const {
    const auto& found = tenant.route == tenant_route::own ? tenant.server : relay;
    return found ? &*found : nullptr;
}

}  // namespace estafette::config
