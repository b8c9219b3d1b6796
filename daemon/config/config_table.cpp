#include "tables.hpp"
#include "values.hpp"

#include "estafette/mail/address.hpp"

#include <sys/un.h>

#include <array>
#include <set>

namespace estafette::config {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> engines{{
    {"local", "local"},
    {"memory", "memory"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> log_levels{{
    {"debug", "debug"},
    {"info", "info"},
    {"warning", "warning"},
    {"error", "error"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> log_targets{{
    {"auto", "auto"},
    {"stderr", "stderr"},
    {"journal", "journal"},
}};

const char* check_socket_path(std::string& text) {
    return text.starts_with('/') && text.size() < sizeof(sockaddr_un::sun_path)
               ? nullptr
               : "not an absolute path of at most 107 bytes";
}

const char* check_lmtp(std::string& text) {
    if (text.empty() || (text.starts_with('/') && text.size() < sizeof(sockaddr_un::sun_path)))
        return nullptr;
    return is_loopback(text) ? nullptr : "not a socket's path, nor a loopback address such as 127.0.0.1:2424";
}

const char* check_listener_name(std::string& text) {
    return is_name(text) ? nullptr : "not a name of a-z, 0-9, -, _ and .";
}

// A file mode in octal, "0660".
template <class Member> struct mode_value {
    using object = typename Member::object;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        const std::string& text = n.scalar();
        const bool is_octal = n.is_scalar() && text.size() >= 3 && text.size() <= 4 &&
                              text.find_first_not_of("01234567") == std::string::npos;
        if (!is_octal || (text.size() == 4 && text.front() != '0'))
            return r.errors.add(n, path, "not a file mode such as \"0660\"");
        Member::of(o) = static_cast<std::uint32_t>(std::stoul(text, nullptr, 8));
    }

    static std::string write(const object& o) {
        std::string out = "\"0";
        for (const unsigned shift : {6u, 3u, 0u})
            out += static_cast<char>('0' + ((Member::of(o) >> shift) & 7));
        return out + '"';
    }
};

template <class Member> struct group_value {
    using object = typename Member::object;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (!n.is_scalar() || (!n.scalar().empty() && !r.host.find_group(n.scalar())))
            return r.errors.add(n, path, "no such group: " + printable(n.scalar(), 64));
        Member::of(o) = n.scalar();
    }

    static std::string write(const object& o) { return quoted(Member::of(o)); }
};

struct listen_value {
    using object = config;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (!n.is_sequence() || n.items().empty())
            return r.errors.add(n, path, "not a list such as [{unix: /run/estafette/api.sock}]");
        o.listeners.clear();
        for (std::size_t i = 0; i < n.items().size(); ++i) {
            const yaml::node& item = n.items()[i];
            const std::string at = path + '[' + std::to_string(i) + ']';
            listener l;
            read_table(item, at, listener_table(), l, r);
            if (item.find("unix") == nullptr)
                r.errors.add(item, at, "has no unix: the socket's path");
            for (const listener& other : o.listeners) {
                if (other.unix_path == l.unix_path)
                    r.errors.add(item, at, "the same socket twice: " + l.unix_path);
                else if (other.name == l.name)
                    r.errors.add(item, at, "the same name twice: " + l.name);
            }
            o.listeners.push_back(std::move(l));
        }
    }

    static std::string write(const object& o) {
        std::string out = "[";
        for (const listener& l : o.listeners) {
            out.append(out.size() > 1 ? ", {" : "{");
            for (const auto& row : listener_table())
                out.append(out.back() == '{' ? "" : ", ").append(row.path).append(": ").append(row.write(l));
            out += '}';
        }
        return out + ']';
    }
};

struct aliases_value {
    using object = config;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (!n.is_map())
            return r.errors.add(n, path, "not a section such as {root: ops@example.org}");
        for (const yaml::member& m : n.members()) {
            const std::string at = yaml::join(path, m.key);
            if (!mail::address::parse(m.key + "@localhost.localdomain"))
                r.errors.add(m.place, at, "not a bare local name");
            else if (const auto address = mail::address::parse(m.value.scalar()))
                o.aliases[ascii_lower(m.key)] = address->text();
            else
                r.errors.add(m.value, at, sentence(errc::address_invalid));
        }
    }

    static std::string write(const object& o) {
        std::string out = "{";
        for (const auto& [name, address] : o.aliases)
            out.append(out.size() > 1 ? ", " : "").append(quoted(name)).append(": ").append(quoted(address));
        return out + '}';
    }
};

struct relay_value {
    using object = config;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (n.is_null())
            return;
        o.relay = read_route(n, path, r);
        if (o.relay)
            o.relay->id = route_id{"relay"};
    }
};

struct tenants_value {
    using object = config;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        if (!n.is_map() && !n.is_null())
            return r.errors.add(n, path, "not a section of tenants by name");
        for (const yaml::member& m : n.members()) {
            if (is_name(m.key))
                o.tenants.insert_or_assign(m.key, read_tenant(m.value, yaml::join(path, m.key), m.key, r));
            else
                r.errors.add(
                    m.place, yaml::join(path, m.key), "not a name of a-z, 0-9, -, _ and . (64 at most)"
                );
        }
    }
};

struct grants_value {
    using object = config;

    static void read(const yaml::node& n, const std::string& path, object& o, reading& r) {
        o.grants = read_grants(n, path, r);
    }

    static std::string write(const object& o) { return write_grants(o.grants); }
};

constexpr std::array listener_rows{
    row<text_value<member<&listener::unix_path>, check_socket_path>>("unix", "The socket's path."),
    row<mode_value<member<&listener::mode>>>("mode", "Of the socket file."),
    row<group_value<member<&listener::group>>>("group", "Of the socket file; empty: ours."),
    row<text_value<member<&listener::name>, check_listener_name>>(
        "name", "FileDescriptorName= of the systemd socket that takes its place."
    ),
};

template <auto... Way> using store = member<&config::store, Way...>;
template <auto... Way> using bounces = member<&config::bounces, Way...>;
template <auto... Way> using suppression = member<&config::suppression, Way...>;
template <auto... Way> using limits = member<&config::limits, Way...>;
template <auto... Way> using log = member<&config::log, Way...>;

constexpr auto at_restart = applies::on_restart;

constexpr std::array config_rows{
    row<text_value<member<&config::hostname>, check_domain>>(
        "hostname", "Our name in EHLO and in Message-IDs; empty: the machine's. It should resolve to us."
    ),
    row<text_value<member<&config::default_domain>, check_domain>>(
        "default_domain", "Added to bare names (cron's \"root\") that have no alias; empty: they are refused."
    ),
    row<aliases_value>(
        "aliases",
        "Bare local names given to sendmail, and the addresses they stand for: {root: ops@example.org}."
    ),
    row<listen_value>(
        "listen",
        "The API's sockets: {unix: PATH, mode: \"0660\", group: NAME, name: NAME}. Under systemd the socket "
        "unit opens them; name is its FileDescriptorName=.",
        at_restart
    ),
    row<text_value<store<&store_options::path>, check_absolute_path>>(
        "store.path", "The folder of the queue. On a local disk; one daemon at a time.", at_restart
    ),
    row<choice_value<store<&store_options::engine>, engines>>(
        "store.engine", "local (durable), or memory for tests: it forgets everything at the end.", at_restart
    ),
    row<size_value<store<&store_options::reserve>>>(
        "store.reserve",
        "Disk space kept for outcomes: with less, new mail is refused and queued mail goes on."
    ),
    row<duration_value<store<&store_options::retention>, 0>>(
        "store.retention", "How long the timeline of a completed message can be asked for."
    ),
    row<duration_value<store<&store_options::keep_bodies>, 0>>(
        "store.keep_bodies", "How long the content is kept after completion; 0: it goes at once."
    ),
    option<config>{
        "relay",
        &relay_value::read,
        nullptr,
        "The vendor's relay: the route of every tenant without its own. While there is none, that mail is "
        "held.",
    },
    option<config>{
        "tenants",
        &tenants_value::read,
        nullptr,
        "The customers, by name (a-z, 0-9, -, _ and .). \"default\" is there without being named.",
    },
    row<grants_value>(
        "roles",
        "Who may use the API: one of user, uid, group, gid, anybody: true; with a role (submit, read, "
        "admin) and tenants (\"*\" or a list). The first that fits decides. Without any: root and the "
        "daemon's user are admin, its group may submit."
    ),
    row<duration_value<member<&config::delayed_after>, 0>>(
        "delayed_after",
        "Mail that waits longer than that gets the event delayed, once for each recipient; 0: never."
    ),
    row<text_list_value<bounces<&bounce_options::secrets>, check_required_file_name>>(
        "bounces.secrets",
        "Files of secrets that sign return paths (return_path: verp): the first signs, all are accepted. A "
        "relative name is looked for in $CREDENTIALS_DIRECTORY, else in credentials/. Without any: one of "
        "our own, verp.secret in store.path."
    ),
    row<duration_value<bounces<&bounce_options::window>, one_day>>(
        "bounces.window", "How long after a mail was relayed a report about it still counts."
    ),
    row<text_value<bounces<&bounce_options::lmtp>, check_lmtp>>(
        "bounces.lmtp",
        "Where the machine's mail server delivers what came back, by LMTP: a Unix socket's path, or a "
        "loopback "
        "address with its port (127.0.0.1:2424). Without it: by estafette bounce and POST /v1/bounces.",
        at_restart
    ),
    row<mode_value<bounces<&bounce_options::lmtp_mode>>>(
        "bounces.lmtp_mode", "The mode of the socket file.", at_restart
    ),
    row<group_value<bounces<&bounce_options::lmtp_group>>>(
        "bounces.lmtp_group", "The group of the socket file: the mail server's.", at_restart
    ),
    row<text_value<bounces<&bounce_options::ses_certificate>, check_file_name>>(
        "bounces.ses_certificate",
        "The certificate (PEM) with which Amazon SNS signs the events of SES in your region: SigningCertURL."
    ),
    row<text_value<bounces<&bounce_options::ses_topic>>>(
        "bounces.ses_topic", "The ARN of the SNS topic; other topics are signed with the same certificate."
    ),
    row<text_value<bounces<&bounce_options::mailgun>, check_file_name>>(
        "bounces.mailgun", "The file of Mailgun's HTTP webhook signing key."
    ),
    row<text_value<bounces<&bounce_options::postmark>, check_file_name>>(
        "bounces.postmark",
        "The file of the user:password that Postmark's webhooks carry (basic authentication)."
    ),
    row<text_value<bounces<&bounce_options::sendgrid>, check_file_name>>(
        "bounces.sendgrid", "The file of SendGrid's verification key for signed event webhooks."
    ),
    row<text_value<bounces<&bounce_options::brevo>, check_file_name>>(
        "bounces.brevo", "The file of the token that Brevo's webhooks carry (bearer, or X-Webhook-Token)."
    ),
    row<flag_value<suppression<&suppression_options::automatic>>>(
        "suppression.automatic",
        "Put addresses on their tenant's suppression list: a mailbox that is not there (said for certain, or "
        "twice), a complaint, an unsubscription at a provider."
    ),
    row<duration_value<suppression<&suppression_options::unknown_user>, 0>>(
        "suppression.unknown_user", "How long an address without a mailbox stays there; 0: for ever."
    ),
    row<duration_value<suppression<&suppression_options::complaint>, 0>>(
        "suppression.complaint", "How long after a complaint or an unsubscription; 0: for ever."
    ),
    row<size_value<limits<&api_limits::body>>>("limits.body", "Largest request."),
    row<number_value<limits<&api_limits::recipients>, 1, 100000>>("limits.recipients", "Of one message."),
    row<number_value<limits<&api_limits::attachments>, 0, 10000>>("limits.attachments", "Of one message."),
    row<number_value<limits<&api_limits::batch_lines>, 1, 100000>>(
        "limits.batch_lines", "Messages in one batch."
    ),
    row<number_value<limits<&api_limits::connections>, 1, 100000>>(
        "limits.connections", "Callers connected at a time."
    ),
    row<number_value<limits<&api_limits::queue_recipients>, 1, 10'000'000'000>>(
        "limits.queue_recipients", "Waiting recipients above which new mail is refused with 429."
    ),
    row<duration_value<limits<&api_limits::request_timeout>, one_second, one_day>>(
        "limits.request_timeout", "How long a caller may take to send one request."
    ),
    row<choice_value<log<&log_options::level>, log_levels>>(
        "log.level", "debug (with the dialogue), info (a line per attempt), warning or error."
    ),
    row<choice_value<log<&log_options::target>, log_targets>>(
        "log.target", "auto (the journal under systemd, else stderr), stderr or journal."
    ),
    row<flag_value<log<&log_options::redact_addresses>>>(
        "log.redact_addresses", "Write a hash in place of recipients' addresses."
    ),
    row<duration_value<member<&config::shutdown_grace>, 0, 3600 * one_second>>(
        "shutdown.grace", "How long running deliveries may take to end; less than the unit's TimeoutStopSec=."
    ),
};

void check_grants(const yaml::node& roles, const config& c, reading& r) {
    std::vector<std::string_view> names;
    for (const auto& [name, tenant] : c.tenants)
        names.push_back(name);
    for (std::size_t i = 0; i < roles.items().size(); ++i) {
        const yaml::node* tenants = roles.items()[i].find("tenants");
        if (tenants == nullptr)
            continue;
        for (const yaml::node& item : tenants->items()) {
            if (!item.is_scalar() || c.tenants.contains(item.scalar()))
                continue;
            const std::string_view near = nearest(item.scalar(), names.data(), names.size());
            std::string what = "unknown tenant " + printable(item.scalar(), 64);
            if (!near.empty())
                what.append("; nearest: ").append(near);
            r.errors.add(item, "roles[" + std::to_string(i) + "].tenants", what);
        }
    }
}

}  // namespace

table<config> config_table() noexcept {
    return config_rows;
}

table<listener> listener_table() noexcept {
    return listener_rows;
}

void check_whole(const yaml::node& root, const config& c, reading& r) {
    if (const yaml::node* roles = root.find("roles"))
        check_grants(*roles, c, r);
}

}  // namespace estafette::config
