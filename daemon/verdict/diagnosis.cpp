#include "estafette/verdict/diagnosis.hpp"

#include <algorithm>

namespace estafette::verdict {

namespace {

finding meaning_of(reason why, scope fault) noexcept {
    if (fault == scope::route) {
        return finding::route_down;
    }
    switch (why) {
    case reason::unknown_user: return finding::wrong_address;
    case reason::inactive_user: return finding::closed_mailbox;
    case reason::bad_domain: return finding::wrong_domain;
    case reason::mailbox_full: return finding::full_mailbox;
    case reason::greylisted:
    case reason::rate_limited:
    case reason::too_many_recipients: return finding::told_to_wait;
    case reason::blocked_reputation:
    case reason::blocked_policy: return finding::blocks_us;
    case reason::blocked_content:
    case reason::message_too_large:
    case reason::protocol_error:
    case reason::smtputf8_unsupported: return finding::refuses_this_mail;
    case reason::sender_rejected: return finding::sender_refused;
    case reason::auth_failed:
    case reason::relay_denied: return finding::route_down;
    case reason::tls_failed:
    case reason::dns_failed:
    case reason::connection_failed:
    case reason::timeout:
    case reason::server_busy:
    case reason::server_error: return finding::their_server_down;
    case reason::suppressed: return finding::suppressed;
    case reason::uncertain: return finding::in_doubt;
    case reason::accepted: return finding::handed_over;
    case reason::expired:
    case reason::other: return finding::unclear;
    }
    return finding::unclear;
}

finding finding_of(const mail_fact& m, const std::optional<route_fact>& route) noexcept {
    switch (m.now) {
    case standing::scheduled: return finding::waits_for_its_time;
    case standing::held: return m.why == reason::uncertain ? finding::in_doubt : finding::held;
    case standing::cancelled: return finding::cancelled;
    case standing::delivered: return finding::arrived;
    case standing::relayed: return finding::handed_over;
    case standing::waiting:
        if (route) {
            return route->by_a_person ? finding::held : finding::route_down;
        }
        return m.why ? meaning_of(*m.why, m.fault) : finding::under_way;
    case standing::failed: return m.why ? meaning_of(*m.why, m.fault) : finding::unclear;
    }
    return finding::unclear;
}

// Its time ran out: what it was refused for before that says more.
std::size_t telling(std::span<const mail_fact> mails) noexcept {
    std::size_t i = 0;
    while (i + 1 < mails.size() && mails[i].now == standing::failed && mails[i].why == reason::expired) {
        ++i;
    }
    return i;
}

void take_away(std::uint32_t& from) noexcept {
    from -= from == 0 ? 0 : 1;
}

// The domain's numbers without the address's own mails.
void leave_out(domain_fact& domain, std::span<const mail_fact> mails) noexcept {
    for (const mail_fact& m : mails) {
        if (m.at < domain.since) {
            continue;
        }
        if (m.now == standing::relayed || m.now == standing::delivered) {
            take_away(domain.accepted);
        } else if (m.why) {
            switch (meaning_of(*m.why, m.fault)) {
            case finding::wrong_address:
            case finding::closed_mailbox: take_away(domain.unknown); break;
            case finding::blocks_us:
            case finding::refuses_this_mail: take_away(domain.blocked); break;
            case finding::their_server_down: take_away(domain.unreachable); break;
            case finding::no_mail:
            case finding::waits_for_its_time:
            case finding::under_way:
            case finding::wrong_domain:
            case finding::full_mailbox:
            case finding::told_to_wait:
            case finding::route_down:
            case finding::sender_refused:
            case finding::suppressed:
            case finding::in_doubt:
            case finding::held:
            case finding::cancelled:
            case finding::handed_over:
            case finding::arrived:
            case finding::unclear: break;
            }
        }
    }
}

class judgement {
public:
    judgement(std::span<const mail_fact> mails, const std::optional<route_fact>& route, domain_fact domain)
        : domain_{domain} {
        leave_out(domain_, mails);
        d_.what = finding_of(mails[telling(mails)], route);
        for (const mail_fact& earlier : mails.subspan(telling(mails) + 1)) {
            same_ += finding_of(earlier, route) == d_.what ? 1 : 0;
            if (earlier.now == standing::relayed || earlier.now == standing::delivered) {
                ++accepted_;
                last_accepted_ = std::max(last_accepted_.value_or(earlier.at), earlier.at);
            }
        }
    }

    diagnosis made() {
        d_.how_sure = sure();
        if (same_ != 0 && is_trouble()) {
            d_.because.push_back({clue::kind::same_before, same_, std::nullopt});
        }
        if (accepted_ != 0 && is_trouble()) {
            d_.because.push_back({clue::kind::accepted_before, accepted_, last_accepted_});
        }
        if (is_trouble() && d_.what != finding::route_down) {
            add(clue::kind::others_accepted, domain_.accepted, domain_.last_accepted_at);
            if (d_.what == finding::wrong_address || d_.what == finding::wrong_domain) {
                add(clue::kind::others_unknown, domain_.unknown, std::nullopt);
            }
            if (d_.what == finding::blocks_us || d_.what == finding::refuses_this_mail) {
                add(clue::kind::others_blocked, domain_.blocked, std::nullopt);
            }
            if (d_.what == finding::their_server_down || d_.what == finding::wrong_domain) {
                add(clue::kind::others_unreachable, domain_.unreachable, std::nullopt);
            }
        }
        return std::move(d_);
    }

private:
    void add(clue::kind what, std::uint32_t count, std::optional<wall_time> at) {
        if (count != 0) {
            d_.because.push_back({what, count, at});
        }
    }

    [[nodiscard]] bool is_trouble() const noexcept {
        switch (d_.what) {
        case finding::no_mail:
        case finding::waits_for_its_time:
        case finding::under_way:
        case finding::cancelled:
        case finding::arrived:
        case finding::held:
        case finding::suppressed: return false;
        case finding::wrong_address:
        case finding::wrong_domain:
        case finding::closed_mailbox:
        case finding::full_mailbox:
        case finding::blocks_us:
        case finding::refuses_this_mail:
        case finding::told_to_wait:
        case finding::their_server_down:
        case finding::route_down:
        case finding::sender_refused:
        case finding::in_doubt:
        case finding::handed_over:
        case finding::unclear: return true;
        }
        return true;
    }

    // A server that serves others and knows not this one is believed; one that took mail for this address
    // before, or refuses everybody, is believed less.
    [[nodiscard]] likelihood sure() const noexcept {
        switch (d_.what) {
        case finding::no_mail:
        case finding::waits_for_its_time:
        case finding::under_way:
        case finding::route_down:
        case finding::suppressed:
        case finding::in_doubt:
        case finding::held:
        case finding::cancelled:
        case finding::arrived:
        case finding::told_to_wait: return likelihood::certain;
        case finding::wrong_address:
        case finding::closed_mailbox:
            if (accepted_ != 0) {
                return likelihood::possible;
            }
            return same_ != 0 || domain_.accepted != 0 ? likelihood::certain : likelihood::likely;
        case finding::wrong_domain:
            return domain_.accepted != 0 || accepted_ != 0 ? likelihood::possible : likelihood::likely;
        case finding::full_mailbox: return likelihood::certain;
        case finding::blocks_us: return domain_.blocked != 0 ? likelihood::certain : likelihood::likely;
        case finding::refuses_this_mail:
            return domain_.blocked != 0 && domain_.accepted == 0 ? likelihood::possible : likelihood::likely;
        case finding::their_server_down:
            return domain_.accepted == 0 && domain_.unreachable != 0 ? likelihood::certain
                                                                     : likelihood::likely;
        case finding::sender_refused: return likelihood::likely;
        case finding::handed_over: return likelihood::likely;
        case finding::unclear: return likelihood::possible;
        }
        return likelihood::possible;
    }

    domain_fact domain_;
    diagnosis d_;
    std::uint32_t same_ = 0, accepted_ = 0;
    std::optional<wall_time> last_accepted_;
};

}  // namespace

diagnosis
diagnose(std::span<const mail_fact> mails, const std::optional<route_fact>& route, domain_fact domain) {
    if (mails.empty()) {
        return {finding::no_mail, likelihood::certain, {}};
    }
    return judgement{mails, route, domain}.made();
}

std::string_view to_text(finding f) noexcept {
    switch (f) {
    case finding::no_mail: return "no_mail";
    case finding::waits_for_its_time: return "waits_for_its_time";
    case finding::under_way: return "under_way";
    case finding::wrong_address: return "wrong_address";
    case finding::wrong_domain: return "wrong_domain";
    case finding::closed_mailbox: return "closed_mailbox";
    case finding::full_mailbox: return "full_mailbox";
    case finding::blocks_us: return "blocks_us";
    case finding::refuses_this_mail: return "refuses_this_mail";
    case finding::told_to_wait: return "told_to_wait";
    case finding::their_server_down: return "their_server_down";
    case finding::route_down: return "route_down";
    case finding::sender_refused: return "sender_refused";
    case finding::suppressed: return "suppressed";
    case finding::in_doubt: return "in_doubt";
    case finding::held: return "held";
    case finding::cancelled: return "cancelled";
    case finding::handed_over: return "handed_over";
    case finding::arrived: return "arrived";
    case finding::unclear: return "unclear";
    }
    return "";
}

std::string_view to_text(likelihood l) noexcept {
    switch (l) {
    case likelihood::certain: return "certain";
    case likelihood::likely: return "likely";
    case likelihood::possible: return "possible";
    }
    return "";
}

}  // namespace estafette::verdict
