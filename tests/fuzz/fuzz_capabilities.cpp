// EHLO's answer: any text gives values within their bounds, and lines in another order the same ones.
#include "check.hpp"

#include "estafette/smtp/capabilities.hpp"

#include <cstdint>
#include <string>

using namespace estafette;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text{reinterpret_cast<const char*>(data), size};
    const smtp::capabilities found = smtp::parse_capabilities({.code = 250, .enhanced = {}, .text = text});
    ESTAFETTE_CHECK(found.esmtp);
    ESTAFETTE_CHECK(!found.size_limit || (found.size && *found.size_limit != 0));
    ESTAFETTE_CHECK(found.mail_max != 0u && found.rcpt_max != 0u && found.rcpt_domain_max != 0u);

    // Saying it all twice adds nothing.
    const std::size_t first = text.find('\n');
    if (first != std::string::npos) {
        const auto twice =
            smtp::parse_capabilities({.code = 250, .enhanced = {}, .text = text + text.substr(first)});
        ESTAFETTE_CHECK(twice == found);
    }
    return 0;
}
