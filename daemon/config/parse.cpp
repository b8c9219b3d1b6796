#include "parse.hpp"

namespace estafette::config {

config build(const yaml::node& root, reading& r) {
    config c;
    c.listeners.emplace_back();
    c.tenants[default_tenant().text()].id = default_tenant();
    read_table(root, "", config_table(), c, r);
    if (c.hostname.empty())
        c.hostname = r.host.hostname;
    if (const yaml::node* roles = root.find("roles"); roles == nullptr || roles->items().empty())
        c.grants = default_grants(r.host);
    check_whole(root, c, r);
    return c;
}

boost::system::result<config, std::vector<std::string>>
parse(std::string_view text, const std::string& name, const machine& host) {
    yaml::errors embedded;
    const profile_set profiles = embedded_profiles(embedded);
    reading r{host, profiles, std::move(embedded)};
    const auto tree = yaml::parse(text, name);
    if (!tree)
        return std::vector<std::string>{tree.error()};
    config c = build(*tree, r);
    if (!r.errors.empty())
        return r.errors.take();
    return c;
}

}  // namespace estafette::config
