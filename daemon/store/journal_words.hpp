// Words of a record read back: enumerations, phases, addresses. What is none of ours is a bad encoding.
#pragma once

#include "codec.hpp"

#include "estafette/mail/address.hpp"
#include "estafette/mail/dsn_request.hpp"
#include "estafette/smtp/phase.hpp"

#include <optional>
#include <string_view>

namespace estafette::store {

// Enumerations go by their words, which are part of the product; their numbers are not.
template <class T> T known(std::optional<T> parsed) {
    if (!parsed) {
        throw bad_encoding{};
    }
    return *parsed;
}

inline smtp::phase phase_of(std::string_view label) {
    for (std::size_t i = 0; i < smtp::phase_count; ++i) {
        if (smtp::label(static_cast<smtp::phase>(i)) == label) {
            return static_cast<smtp::phase>(i);
        }
    }
    throw bad_encoding{};
}

inline mail::address address_of(std::string_view text) {
    auto parsed = mail::address::parse(text);
    if (!parsed) {
        throw bad_encoding{};
    }
    return std::move(*parsed);
}

// Which reports the caller wants of other servers; there where the message's flags say so.
inline void put_reports(encoder& e, const mail::dsn_request& r) {
    e.put(std::string_view{mail::notify_text(r.notify)});
    e.put(mail::to_text(r.ret));
    e.put(std::string_view{r.envid});
}

inline mail::dsn_request read_reports(decoder& d) {
    mail::dsn_request r;
    if (const std::string_view notify = d.text(); !notify.empty()) {
        r.notify = known(mail::parse_notify(notify));
    }
    if (const std::string_view content = d.text(); !content.empty()) {
        r.ret = known(mail::parse_dsn_content(content));
    }
    r.envid = d.string();
    return r;
}

}  // namespace estafette::store
