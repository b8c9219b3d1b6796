// Feedback reports (RFC 5965) inside a mail that is otherwise in order, so that the fuzzer's bytes get to the
// fields: a complaint names a bounded number of recipients, and says nothing of delivery.
#include "check.hpp"

#include "estafette/bounce/reading.hpp"
#include "estafette/mail/dsn.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

using namespace estafette;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto rules = verdict::classifier::standard();
    static const mail::verp_keys keys{{"secret"}};
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    // Up to the first 0x1E byte the fields of the report, behind it the mail complained of.
    const auto cut = std::min(bytes.find('\x1e'), bytes.size());
    std::string mail = "From: fbl@mx.example\r\nContent-Type: multipart/report; "
                       "report-type=feedback-report; boundary=\"b\"\r\n\r\n"
                       "--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
                       "--b\r\nContent-Type: message/feedback-report\r\n\r\n";
    mail += bytes.substr(0, cut);
    mail += "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n";
    mail += bytes.substr(std::min(cut + 1, bytes.size()));
    mail += "\r\n--b--\r\n";
    const mail::report_limits limits;
    const auto report = mail::read_report(mail, limits);
    ESTAFETTE_CHECK(report.recipients.size() <= limits.recipients + 1);
    ESTAFETTE_CHECK(report.kind != mail::report_kind::other || report.recipients.empty());
    for (const auto& r : report.recipients) {
        ESTAFETTE_CHECK(r.address.find('\n') == std::string::npos);
        ESTAFETTE_CHECK(r.original.find('\n') == std::string::npos);
    }
    const auto seen = bounce::read(mail, {}, keys, rules);
    ESTAFETTE_CHECK(seen.evidence.size() <= 16u << 10);
    for (const auto& s : seen.statements) {
        if (seen.kind == mail::report_kind::complaint) {
            ESTAFETTE_CHECK(s.what == store::finding::complained);
            ESTAFETTE_CHECK(s.judged.what == verdict::disposition::accepted);
        }
    }
    return 0;
}
