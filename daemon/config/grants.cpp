// roles: who may do what.
#include "tables.hpp"
#include "values.hpp"

#include <array>
#include <limits>

namespace estafette::config {

namespace {

constexpr std::array<std::pair<std::string_view, role>, 3> role_words{{
    {"submit", role::submit},
    {"read", role::read},
    {"admin", role::admin},
}};

constexpr std::array<std::string_view, 5> subjects{"user", "uid", "group", "gid", "anybody"};
constexpr std::array<std::string_view, 7> grant_keys{
    "user", "uid", "group", "gid", "anybody", "role", "tenants"
};

std::optional<std::uint32_t> read_number(const yaml::node& n, const std::string& path, reading& r) {
    const auto number = yaml::to_unsigned(n);
    if (number && *number < std::numeric_limits<std::uint32_t>::max())
        return static_cast<std::uint32_t>(*number);
    r.errors.add(n, path, "not a number of an account");
    return std::nullopt;
}

// Whom the grant is for: exactly one of the five keys.
void read_subject(const yaml::node& n, const std::string& path, grant& g, reading& r) {
    std::string_view key;
    for (const std::string_view subject : subjects) {
        if (n.find(subject) == nullptr)
            continue;
        if (!key.empty())
            return r.errors.add(*n.find(subject), path, "more than one of user, uid, group, gid, anybody");
        key = subject;
    }
    if (key.empty())
        return r.errors.add(n, path, "has none of user, uid, group, gid, anybody");
    const yaml::node& value = *n.find(key);
    const std::string at = yaml::join(path, key);
    if (key == "uid") {
        g.uid = read_number(value, at, r);
    } else if (key == "gid") {
        g.gid = read_number(value, at, r);
    } else if (key == "anybody") {
        g.anybody = yaml::to_bool(value) == true;
        if (!g.anybody)
            r.errors.add(value, at, "not true");
    } else {
        const bool is_user = key == "user";
        auto& number = is_user ? g.uid : g.gid;
        number = value.is_scalar() ? (is_user ? r.host.find_user : r.host.find_group)(value.scalar())
                                   : std::nullopt;
        if (!number)
            r.errors.add(value, at, "no such " + std::string{key} + ": " + printable(value.scalar(), 64));
    }
}

void read_tenants(const yaml::node& n, const std::string& path, grant& g, reading& r) {
    const yaml::node* tenants = n.find("tenants");
    const std::string at = yaml::join(path, "tenants");
    if (tenants != nullptr && tenants->is_scalar() && tenants->scalar() == "*") {
        g.all_tenants = true;
        return;
    }
    if (tenants == nullptr || !tenants->is_sequence())
        return r.errors.add(tenants == nullptr ? n : *tenants, at, "neither \"*\" nor a list of tenants");
    for (const yaml::node& item : tenants->items()) {
        if (item.is_scalar())
            g.tenants.emplace_back(item.scalar());
        else
            r.errors.add(item, at, "not a tenant's name");
    }
}

}  // namespace

std::string_view to_text(role as) noexcept {
    switch (as) {
    case role::submit: return "submit";
    case role::read: return "read";
    case role::admin: return "admin";
    }
    return {};
}

std::vector<grant> read_grants(const yaml::node& n, const std::string& path, reading& r) {
    std::vector<grant> grants;
    if (!n.is_sequence()) {
        r.errors.add(n, path, "not a list such as [{user: root, role: admin, tenants: \"*\"}]");
        return grants;
    }
    for (std::size_t i = 0; i < n.items().size(); ++i) {
        const yaml::node& item = n.items()[i];
        const std::string at = path + '[' + std::to_string(i) + ']';
        if (!item.is_map()) {
            r.errors.add(item, at, "not a map such as {user: root, role: admin, tenants: \"*\"}");
            continue;
        }
        r.errors.add_unknown_keys(item, at, grant_keys);
        grant g;
        read_subject(item, at, g, r);
        if (const yaml::node* as = item.find("role"))
            choice_value<member<&grant::as>, role_words>::read(*as, yaml::join(at, "role"), g, r);
        else
            r.errors.add(item, at, "has no role: submit, read or admin");
        read_tenants(item, at, g, r);
        grants.push_back(std::move(g));
    }
    return grants;
}

std::string write_grants(const std::vector<grant>& grants) {
    std::string out = "[";
    for (const grant& g : grants) {
        out.append(out.size() > 1 ? ", {" : "{");
        if (g.uid)
            out += "uid: " + std::to_string(*g.uid);
        else if (g.gid)
            out += "gid: " + std::to_string(*g.gid);
        else
            out += "anybody: true";
        out.append(", role: ").append(to_text(g.as)).append(", tenants: ");
        if (g.all_tenants) {
            out += "\"*\"}";
            continue;
        }
        out += '[';
        for (const tenant_id& id : g.tenants)
            out.append(out.back() == '[' ? "" : ", ").append(quoted(id.text()));
        out += "]}";
    }
    return out + ']';
}

std::vector<grant> default_grants(const machine& host) {
    grant root;
    root.uid = 0;
    root.as = role::admin;
    root.all_tenants = true;
    grant ourselves = root;
    ourselves.uid = host.uid;
    grant our_group;
    our_group.gid = host.gid;
    our_group.all_tenants = true;
    return {root, ourselves, our_group};
}

}  // namespace estafette::config
