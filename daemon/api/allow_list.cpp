// GET /v1/tenants/{tenant}/allowlist: what a customer's mail system should let through, as facts and as a
// page.
#include "estafette/verdict/allow_list.hpp"

#include "handlers.hpp"
#include "present.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace estafette::api {
namespace {

namespace json = boost::json;

verdict::return_path_kind kind_of(config::return_path_mode mode) {
    switch (mode) {
    case config::return_path_mode::sender: return verdict::return_path_kind::as_sender;
    case config::return_path_mode::fixed: return verdict::return_path_kind::one_address;
    case config::return_path_mode::verp: return verdict::return_path_kind::any_of_domain;
    }
    return verdict::return_path_kind::as_sender;
}

verdict::allow_list_facts facts_of(const config::config& c, const config::tenant_options& tenant) {
    verdict::allow_list_facts f;
    f.contact = tenant.contact;
    for (const auto& sender : tenant.senders) {
        const auto at = sender.rfind('@');
        const auto domain = at == std::string::npos ? sender : sender.substr(at + 1);
        if (at != std::string::npos)
            f.addresses.push_back(sender);
        if (std::ranges::find(f.domains, domain) == f.domains.end())
            f.domains.push_back(domain);
    }
    if (const auto* route = c.route_of(tenant)) {
        f.ips = route->sends_from;
        for (const auto& server : route->servers)
            f.servers.push_back(server.host);
        f.returns = kind_of(route->return_path);
        f.return_path = route->return_path_address;
        f.dkim_domain = route->dkim_domain;
    }
    return f;
}

json::array list_of(const std::vector<std::string>& texts) {
    json::array out;
    for (const auto& text : texts)
        out.emplace_back(text);
    return out;
}

// The options that would make the page complete.
json::array missing_of(const verdict::allow_list_facts& f, const config::tenant_options& tenant) {
    const auto route = tenant.server ? "tenants." + tenant.id.text() + ".server." : std::string{"relay."};
    json::array out;
    if (f.domains.empty())
        out.emplace_back("tenants." + tenant.id.text() + ".senders");
    if (f.ips.empty())
        out.emplace_back(route + "sends_from");
    if (f.dkim_domain.empty())
        out.emplace_back(route + "dkim_domain");
    return out;
}

}  // namespace

response get_allow_list(const request& r, const std::string& name) {
    const access allowed{r.who, r.config->grants};
    const tenant_id id{name};
    const auto* tenant = r.config->find_tenant(id);
    if (tenant == nullptr || !allowed.may(permission::read, id))
        return to_response(not_found());
    const auto facts = facts_of(*r.config, *tenant);
    return json_response({
        {"tenant", name},
        {"domains", list_of(facts.domains)},
        {"senders", list_of(facts.addresses)},
        {"sends_from", list_of(facts.ips)},
        {"servers", list_of(facts.servers)},
        {"return_path", facts.return_path},
        {"dkim_domain", facts.dkim_domain},
        {"contact", facts.contact},
        {"missing", missing_of(facts, *tenant)},
        {"page", verdict::allow_list_page(facts, wording_of(r).in)},
    });
}

}  // namespace estafette::api
