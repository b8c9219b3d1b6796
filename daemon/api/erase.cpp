// POST /v1/erase: a person is forgotten.
#include "body_fields.hpp"
#include "handlers.hpp"
#include "intake.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/serialize.hpp>

#include <sys/random.h>

#include <array>

namespace estafette::api {
namespace {

namespace json = boost::json;

// The same for all mail of one erasure, and made from nothing that is known of the person.
std::string random_pseudonym() {
    constexpr std::string_view hex = "0123456789abcdef";
    std::array<std::uint8_t, 8> bytes{};
    if (::getentropy(bytes.data(), bytes.size()) != 0)
        throw std::runtime_error{"the kernel gives no random bytes"};
    std::string name = "erased-";
    for (const std::uint8_t byte : bytes)
        name.append({hex[byte >> 4], hex[byte & 15]});
    return name.append("@").append(store::erased_domain);
}

// The tenants whose mail is meant; empty: all of them.
boost::system::result<std::vector<tenant_id>, problem>
tenants_of(const request& r, const std::optional<std::string>& named) {
    const access allowed{r.who, r.config->grants};
    if (named) {
        const auto tenant = find_tenant(*r.config, allowed, permission::read, named);
        if (!tenant)
            return not_found();
        if (!allowed.may(permission::administer, (*tenant)->id))
            return forbidden("only an administrator of the tenant erases");
        return std::vector{(*tenant)->id};
    }
    const auto granted = allowed.tenants(permission::administer);
    if (granted && granted->empty())
        return forbidden("only an administrator erases");
    return granted.value_or(std::vector<tenant_id>{});
}

struct lines_of_person {
    std::vector<store::suppression> to_remove;  // say only that there is no such mailbox
    std::vector<store::suppressed> to_keep;  // what the person asked for, or somebody decided: without words
};

// The suppression lists' lines of the address. They are not mail: most are there to protect the person.
asio::awaitable<result<lines_of_person>>
find_lines(services& s, const config::config_ptr c, std::vector<tenant_id> tenants, std::string address) {
    if (tenants.empty())
        for (const auto& [name, tenant] : c->tenants)
            tenants.push_back(tenant.id);
    lines_of_person lines;
    for (const auto& tenant : tenants) {
        std::vector<std::string> one{ascii_lower(address)};
        const auto found = co_await s.queue.find_suppressed(tenant, std::move(one));
        if (!found)
            co_return found.error();
        for (const auto& line : *found) {
            if (line.why == store::suppression_cause::unknown_user)
                lines.to_remove.push_back(line);
            else
                lines.to_keep.push_back(
                    {line.tenant, line.address, line.since, line.until, line.why, line.by, {}}
                );
        }
    }
    co_return lines;
}

asio::awaitable<result<void>> clear(services& s, lines_of_person lines, std::string by) {
    for (const auto& line : lines.to_remove) {
        const auto done = co_await s.below.unsuppress(line.tenant, line.address, by);
        if (!done)
            co_return done.error();
    }
    if (!lines.to_keep.empty()) {
        const auto done = co_await s.below.suppress(std::move(lines.to_keep));
        if (!done)
            co_return done.error();
    }
    co_return result<void>{};
}

}  // namespace

asio::awaitable<response> post_erase(services& s, request r) {
    std::optional<std::string> address, named, reason;
    bool is_dry_run = false;
    if (auto wrong = read_body_fields(
            r.body, {{"address", &address}, {"tenant", &named}, {"reason", &reason}, {"dry_run", &is_dry_run}}
        ))
        co_return to_response(*wrong);
    auto tenants = tenants_of(r, named);
    if (tenants.has_error())
        co_return to_response(tenants.error());
    const auto parsed = mail::address::parse(address.value_or(""));
    std::vector<mail::field_error> errors;
    if (!parsed)
        errors.push_back({"/address", parsed.error(), parsed.error().message()});
    if (!is_dry_run && reason_of(reason).empty())
        errors.push_back({"/reason", errc::field_missing, "is missing: it is kept in the place of the person"}
        );
    if (!errors.empty())
        co_return to_response(invalid(std::move(errors)));
    sched::erase_request what{
        parsed->text(), std::move(*tenants), random_pseudonym(), r.who.text(), reason_of(reason), is_dry_run
    };
    const auto pseudonym = what.pseudonym;
    const auto lines = co_await find_lines(s, r.config, what.tenants, what.address);
    if (!lines)
        co_return to_response(of_error(lines.error()));
    if (!is_dry_run) {  // first, so that their bytes leave the files with those of the mail
        const auto cleared = co_await clear(s, *lines, r.who.text());
        if (!cleared)
            co_return to_response(of_error(cleared.error()));
    }
    const auto done = co_await s.below.erase(std::move(what));
    if (!done)
        co_return to_response(of_error(done.error()));
    response out;
    out.body = json::serialize(json::object{
                   {"dry_run", is_dry_run},
                   {"recipients", done->recipients},
                   {"messages", done->messages},
                   {"cancelled", done->cancelled},
                   {"in_hand", done->in_hand},
                   {"suppressions_removed", lines->to_remove.size()},
                   {"suppressions_kept", lines->to_keep.size()},
                   {"pseudonym", is_dry_run ? json::value(nullptr) : json::value(pseudonym)},
               }) +
               "\n";
    co_return out;
}

}  // namespace estafette::api
