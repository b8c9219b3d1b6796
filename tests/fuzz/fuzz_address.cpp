// Addresses, mailboxes and domains: whatever comes, what is accepted is clean and stays the same.
#include "estafette/base/text.hpp"
#include "estafette/mail/address.hpp"

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

void check(const mail::address& a) {
    const std::string_view text = a.text();
    require(text.size() <= 254 && is_valid_utf8(text) && is_ascii(a.domain()));
    for (const char c : text)
        require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    const auto again = mail::address::parse(text);
    require(again.has_value() && again->text() == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto a = mail::address::parse(text))
        check(*a);
    if (const auto m = mail::mailbox::parse(text))
        check(m->addr);
    if (const auto d = mail::parse_domain(text))
        require(mail::parse_domain(*d).has_value() && *mail::parse_domain(*d) == *d);
    return 0;
}
