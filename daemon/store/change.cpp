#include "estafette/store/change.hpp"

#include <array>

namespace estafette::store {

std::string_view to_text(state s) noexcept {
    switch (s) {
    case state::scheduled: return "scheduled";
    case state::queued: return "queued";
    case state::deferred: return "deferred";
    case state::held: return "held";
    case state::relayed: return "relayed";
    case state::delivered: return "delivered";
    case state::failed: return "failed";
    case state::cancelled: return "cancelled";
    }
    return "unknown";
}

std::optional<state> parse_state(std::string_view text) noexcept {
    for (std::size_t i = 0; i < state_count; ++i) {
        const auto s = static_cast<state>(i);
        if (to_text(s) == text) {
            return s;
        }
    }
    return std::nullopt;
}

std::string_view to_text(finding f) noexcept {
    switch (f) {
    case finding::delivered: return "delivered";
    case finding::failed: return "failed";
    case finding::delayed: return "delayed";
    case finding::complained: return "complained";
    }
    return "unknown";
}

std::optional<finding> parse_finding(std::string_view text) noexcept {
    for (const auto f : {finding::delivered, finding::failed, finding::delayed, finding::complained}) {
        if (to_text(f) == text) {
            return f;
        }
    }
    return std::nullopt;
}

std::string_view to_text(suppression_cause c) noexcept {
    switch (c) {
    case suppression_cause::unknown_user: return "unknown_user";
    case suppression_cause::complaint: return "complaint";
    case suppression_cause::unsubscribed: return "unsubscribed";
    case suppression_cause::manual: return "manual";
    }
    return "unknown";
}

std::optional<suppression_cause> parse_suppression_cause(std::string_view text) noexcept {
    for (const auto c :
         {suppression_cause::unknown_user,
          suppression_cause::complaint,
          suppression_cause::unsubscribed,
          suppression_cause::manual}) {
        if (to_text(c) == text) {
            return c;
        }
    }
    return std::nullopt;
}

bool is_final(state s) noexcept {
    switch (s) {
    case state::scheduled:
    case state::queued:
    case state::deferred:
    case state::held: return false;
    case state::relayed:
    case state::delivered:
    case state::failed:
    case state::cancelled: return true;
    }
    return true;
}

std::string_view to_text(pause_kind k) noexcept {
    switch (k) {
    case pause_kind::route: return "route";
    case pause_kind::tenant: return "tenant";
    case pause_kind::sender: return "sender";
    }
    return "unknown";
}

std::optional<pause_kind> parse_pause_kind(std::string_view text) noexcept {
    for (const auto k : {pause_kind::route, pause_kind::tenant, pause_kind::sender}) {
        if (to_text(k) == text) {
            return k;
        }
    }
    return std::nullopt;
}

}  // namespace estafette::store
