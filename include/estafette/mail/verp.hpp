// Return paths that name the recipient: "bounce+<48 characters>@domain". The characters are base32 (RFC
// 4648 6, lower case) of the message id (16 bytes), the place in the envelope (2) and the first 96 bits of
// an HMAC-SHA256 over both: who does not have a secret cannot make one that counts.
//
// Promises: a local part has 55 octets; it is read in any case of its letters; tags are compared in
// constant time; a text of any length costs a bounded number of HMACs. It does not say that the mail
// which carries the address tells the truth: whoever got the mail knows its return path.
// Pure; any thread, but not while the keys are replaced.
#pragma once

#include "estafette/base/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::mail {

class verp_keys {
public:
    verp_keys() = default;

    // The first signs, all verify: a new one goes in front, an old one goes when no bounce to it can come.
    explicit verp_keys(std::vector<std::string> secrets)
        : secrets_{std::move(secrets)} {}

    [[nodiscard]] bool empty() const noexcept { return secrets_.empty(); }

    // None without a secret, or for a place beyond 65,535.
    [[nodiscard]] std::optional<std::string> local_part(const recipient_id& who) const;

    // None: not of this form, or signed by nobody we know.
    [[nodiscard]] std::optional<recipient_id> verify(std::string_view local_part) const;

private:
    std::vector<std::string> secrets_;
};

// Whether it has the form, genuine or not.
[[nodiscard]] bool looks_like_verp(std::string_view local_part) noexcept;

struct verp_match {
    std::optional<recipient_id> who;  // the first genuine one
    bool is_forged = false;           // some have the form, and none is genuine
};

// Of all that stand anywhere in a text: the header, or a report's parts.
[[nodiscard]] verp_match find_verp(std::string_view text, const verp_keys& keys);

}  // namespace estafette::mail
