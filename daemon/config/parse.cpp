#include "parse.hpp"

#include "values.hpp"

namespace estafette::config {

config build(const yaml::node& root, reading& r) {
    config c;
    c.listeners.emplace_back();
    c.tenants[default_tenant().text()].id = default_tenant();
    read_table(root, "", config_table(), c, r);
    if (c.hostname.empty()) {
        c.hostname = r.host.hostname;
        if (c.hostname.empty() || check_domain(c.hostname) != nullptr)
            c.hostname = "localhost";  // a machine's name may be anything; ours is said to servers
    }
    if (const yaml::node* roles = root.find("roles"); roles == nullptr || roles->items().empty())
        c.grants = default_grants(r.host);
    check_whole(root, c, r);
    return c;
}

boost::system::result<config, std::vector<std::string>>
parse(std::string_view text, const std::string& name, const machine& host) {
    reading r{host, embedded_profiles(), {}};
    const auto tree = yaml::parse(text, name, file_limits);
    if (!tree)
        return std::vector<std::string>{tree.error()};
    config c = build(*tree, r);
    if (!r.errors.empty())
        return r.errors.take();
    return c;
}

}  // namespace estafette::config
