// Mails that come back: whatever the bytes, a bounded report.
#include "estafette/mail/dsn.hpp"
#include "estafette/verdict/bounce.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace estafette;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto rules = verdict::classifier::standard();
    const mail::report_limits limits;
    const auto report = mail::read_report({reinterpret_cast<const char*>(data), size}, limits);
    require(report.recipients.size() <= limits.recipients + 1);
    require(report.kind != mail::report_kind::other || report.recipients.empty());
    std::size_t judged = 0;
    for (const auto& r : report.recipients) {
        require(!r.address.empty() || !r.original.empty() || report.kind == mail::report_kind::delivery);
        require(r.address.find('\n') == std::string::npos && r.diagnostic.size() <= 8192);
        if (++judged <= 3)
            (void)verdict::judge(rules, r);
    }
    return 0;
}
