// Raw RFC 5322 bytes and their header: what compose makes of them has CRLF line ends only and no Bcc.
#include "estafette/base/text.hpp"
#include "estafette/mail/compose.hpp"
#include "estafette/mail/encoding.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace estafette;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

bool has_bcc(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size() && bytes.substr(at, 2) != "\r\n";) {
        if (ascii_iequals(bytes.substr(at, 4), "bcc:"))
            return true;
        at = bytes.find("\r\n", at) + 2;
    }
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes{reinterpret_cast<const char*>(data), size};
    mail::submission s;
    s.raw_bytes = bytes;
    s.envelope = mail::envelope_fields{.from = "", .to = {{"a@x.example"}}};
    mail::compose_options options;
    options.message_id_domain = "x.example";
    if (const auto m = mail::compose(s, options); m.has_value()) {
        const std::string& made = *m->body;
        require(mail::to_crlf(made) == made && made.ends_with("\r\n"));
        require(made.find('\0') == std::string::npos && !has_bcc(made));
        require(m->facts == mail::facts_of(made));
        // A second passage changes nothing.
        s.raw_bytes = made;
        require(*mail::compose(s, options)->body == made);
    }
    (void)mail::header_recipients(bytes);
    (void)mail::decode_header(bytes);
    (void)mail::quoted_printable_decode(bytes);
    return 0;
}
