// Headers of others: encoded words, folded and broken ones, parameters that say how a mail is taken apart.
// What comes out is UTF-8 in one line; what we write ourselves is read again as it was.
#include "check.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/dsn.hpp"
#include "estafette/mail/encoding.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

using namespace estafette;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 64u << 10)
        return 0;
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};

    const auto decoded = mail::decode_header(bytes);
    ESTAFETTE_CHECK(decoded.find('\n') == std::string::npos);
    ESTAFETTE_CHECK(decoded.size() <= 4 * size + 64);
    (void)mail::quoted_printable_decode(bytes);

    // What compose writes of such a text comes back.
    if (is_valid_utf8(bytes) && bytes.find_first_of("\r\n") == std::string_view::npos) {
        const auto line = mail::field("Subject", mail::encoded_words(bytes));
        for (std::size_t from = 0, end = 0; (end = line.find("\r\n", from)) != std::string::npos;
             from = end + 2)
            ESTAFETTE_CHECK(end - from <= 78);
        const auto value = std::string_view{line}.substr(sizeof("Subject: ") - 1);
        ESTAFETTE_CHECK(mail::decode_header(value.substr(0, value.size() - 2)) == bytes);
    }

    // As the header of a mail, and as that of a part.
    std::string whole{bytes};
    whole += "\r\n\r\nhello\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
             "Final-Recipient: rfc822; b@y.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n";
    const auto as_header = mail::read_report(whole);
    ESTAFETTE_CHECK(as_header.recipients.size() <= 501);
    std::string part = "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n";
    part += bytes;
    part +=
        "\r\n\r\nFinal-Recipient: rfc822; b@y.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n";
    const auto as_part = mail::read_report(part);
    ESTAFETTE_CHECK(as_part.recipients.size() <= 501);
    for (const auto& r : as_part.recipients)
        ESTAFETTE_CHECK(r.address.find('\n') == std::string::npos && r.diagnostic.size() <= 8192);
    return 0;
}
