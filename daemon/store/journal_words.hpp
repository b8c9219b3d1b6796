// Words of a record read back: enumerations, phases, addresses. What is none of ours is a bad encoding.
#pragma once

#include "codec.hpp"

#include "estafette/mail/address.hpp"
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

}  // namespace estafette::store
