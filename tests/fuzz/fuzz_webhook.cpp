// Providers' webhooks: the first byte says whose, the rest is the body. Nothing is read without its proof;
// with a proof that anybody can give (a token), whatever follows ends in bounded readings.
#include "check.hpp"

#include "estafette/base/text.hpp"
#include "estafette/bounce/provider.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

using namespace estafette;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto rules = verdict::classifier::standard();
    static const mail::verp_keys keys{{"secret"}};
    if (size == 0)
        return 0;
    const auto from = static_cast<bounce::provider>(data[0] % 5);
    bounce::webhook w;
    w.body.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
    bounce::provider_secrets secrets{"no certificate", "topic", "key", "user:password", "AAAA", "token"};
    const auto now = from_unix_ms(1'700'000'000'000);
    const auto unproven = bounce::read_webhook(from, w, secrets, keys, rules, now);
    ESTAFETTE_CHECK(unproven.has_error() && unproven.error() == bounce::webhook_fault::not_proven);
    w.fields["authorization"] =
        from == bounce::provider::brevo ? "Bearer token" : "Basic " + base64_encode("user:password");
    const auto seen = bounce::read_webhook(from, w, secrets, keys, rules, now);
    if (!seen)
        return 0;
    ESTAFETTE_CHECK(from == bounce::provider::postmark || from == bounce::provider::brevo);
    ESTAFETTE_CHECK(seen->readings.size() <= 100'000);
    for (const auto& r : seen->readings) {
        ESTAFETTE_CHECK(r.statements.size() == 1 && !r.statements.front().address.empty());
        ESTAFETTE_CHECK(r.evidence.size() <= 16u << 10 && !r.proven_by.empty());
    }
    return 0;
}
