#include "intake.hpp"

#include "present.hpp"

#include "estafette/base/text.hpp"

#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <array>

namespace estafette::api {
namespace {

template <std::size_t Size> std::array<std::uint8_t, Size> random_bytes() {
    static_assert(Size <= 256);  // then getentropy() neither blocks after boot nor fails
    std::array<std::uint8_t, Size> out{};
    if (::getentropy(out.data(), out.size()) != 0)
        throw std::runtime_error{"the kernel gives no random bytes"};
    return out;
}

wall_time wall_now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

std::string_view bare_type(std::string_view content_type) {
    return trim(content_type.substr(0, content_type.find(';')));
}

}  // namespace

result<const config::tenant_options*> find_tenant(
    const config::config& c, const access& allowed, permission what, const std::optional<std::string>& named
) {
    const auto granted = allowed.tenants(what);
    tenant_id wanted = default_tenant();
    if (named)
        wanted = tenant_id{*named};
    else if (granted && granted->size() == 1)
        wanted = granted->front();
    const auto* tenant = c.find_tenant(wanted);
    if (tenant == nullptr || !allowed.may(what, wanted))
        return errc::not_found;
    return tenant;
}

std::optional<body_form> form_of(const request& r) {
    const auto type = ascii_lower(bare_type(r.content_type));
    const bool looks_like_json = trim(std::string_view{r.body}.substr(0, 64)).starts_with('{');
    if (type == "application/json" || (type.starts_with("application/") && type.ends_with("+json")))
        return body_form::json;
    if ((type.empty() || type == "application/x-www-form-urlencoded") && looks_like_json)
        return body_form::json;
    if (type == "message/rfc822" || type == "message/global")
        return body_form::raw;
    if (type == "application/x-ndjson" || type == "application/ndjson")
        return body_form::batch;
    return std::nullopt;
}

boost::system::result<mail::message_ptr, problem>
compose_for(const request& r, const access& allowed, reading given) {
    const auto tenant = find_tenant(*r.config, allowed, permission::enqueue, given.tenant);
    if (!tenant) {  // one that is not even a string is a wrong field, not an unknown tenant
        const auto names_it = [](const auto& e) { return e.pointer == "/tenant"; };
        return std::ranges::any_of(given.errors, names_it) ? invalid(std::move(given.errors)) : not_found();
    }
    given.what.tenant = (*tenant)->id;
    mail::compose_options options;
    options.now = wall_now();
    options.id = message_id::make(options.now, random_bytes<10>());
    options.random = random_bytes<16>();
    options.message_id_domain = r.config->hostname;
    options.expire_after = (*tenant)->expire_after;
    options.max_recipients = r.config->limits.recipients;
    options.max_attachments = r.config->limits.attachments;
    auto made = mail::compose(given.what, options);
    if (made.has_error())
        merge_errors(given.errors, made.error());
    if (!given.errors.empty())
        return invalid(std::move(given.errors));
    return std::make_shared<const mail::message>(std::move(*made));
}

std::string digest(std::string_view kind, std::string_view query, std::string_view body) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    std::array<unsigned char, 32> out{};
    unsigned size = 0;
    bool ok = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
    for (const auto part : {kind, std::string_view{"\0", 1}, query, std::string_view{"\0", 1}, body})
        ok = ok && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
    if (!ok || EVP_DigestFinal_ex(context.get(), out.data(), &size) != 1 || size != out.size())
        throw std::runtime_error{"SHA-256 is not available"};
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

std::optional<std::string> idempotency_key(std::string_view header) {
    header = trim(header);
    if (header.size() >= 2 && header.front() == '"' && header.back() == '"')
        header = header.substr(1, header.size() - 2);
    const auto is_printable = [](char c) { return c >= 0x20 && c < 0x7F; };
    if (header.empty() || header.size() > 256 || !std::ranges::all_of(header, is_printable))
        return std::nullopt;
    return std::string{header};
}

namespace {

problem key_reused() {
    return invalid(
        "",
        errc::conflict,
        "this Idempotency-Key was used for another request: use a new key for a new message"
    );
}

}  // namespace

asio::awaitable<key_state> look_up_key(services& s, tenant_id tenant, std::string key, std::string digest) {
    const keys_in_use::key id{tenant, key};
    if (const auto* other = s.keys.digest_of(id)) {
        auto running = conflict("conflict", "the first request with this Idempotency-Key is still running");
        running.retry_after = seconds{1};
        co_return *other == digest ? running : key_reused();
    }
    // Taken before the store is asked, so that two equal requests cannot both find nothing there.
    auto claim = s.keys.take(id, digest);
    const auto earlier = co_await s.queue.find_idempotent(std::move(tenant), std::move(key));
    if (!earlier)
        co_return of_error(earlier.error());
    if (!*earlier) {
        fresh begin{std::move(claim)};
        co_return begin;
    }
    if ((*earlier)->digest != digest)
        co_return key_reused();
    const repeated again{(*earlier)->message, (*earlier)->was_there};
    co_return again;
}

}  // namespace estafette::api
