// SASL: any challenges, to every mechanism. The first byte chooses it; challenges are divided by 0xFF.
#include "check.hpp"

#include "estafette/smtp/auth.hpp"

#include <cstdint>
#include <string_view>

using namespace estafette;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto m = static_cast<smtp::mechanism>(data[0] % smtp::mechanism_count);
    std::string_view rest{reinterpret_cast<const char*>(data + 1), size - 1};
    smtp::auth_exchange exchange{
        m, {"user", "pencil"}, {"tls-exporter", "binding"}, "rOprNGfwEbeRWgbNEkqO", (data[0] & 128) != 0
    };
    const bool is_scram = m == smtp::mechanism::scram_sha_256 || m == smtp::mechanism::scram_sha_256_plus;
    ESTAFETTE_CHECK(is_scram == bool{exchange.finish()});  // nothing is proven yet

    int answered = 0;
    bool failed = false;
    while (!rest.empty() && !failed) {
        const std::size_t end = rest.find('\xff');
        const auto response = exchange.next(rest.substr(0, end));
        failed = response.has_error();
        answered += failed ? 0 : 1;
        ESTAFETTE_CHECK(!response || response->size() < size + 1024);
        ESTAFETTE_CHECK(answered <= 3);  // no mechanism talks on for ever
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (is_scram && !exchange.finish()) {
        ESTAFETTE_CHECK(answered >= 2);
    }
    return 0;
}
