// Takes mail that came back and records what it says: read, matched, committed, counted, logged. What is
// forged or fits nothing changes nothing.
//
// Promises: a recipient moves once, from relayed, and not later than `bounces.window` after it was
// relayed; take() returns when that is durable.
// Thread: the loop.
#pragma once

#include "estafette/base/metrics.hpp"
#include "estafette/bounce/reading.hpp"
#include "estafette/config/config.hpp"
#include "estafette/store/queue.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace estafette::bounce {

namespace asio = boost::asio;

struct mail_in {
    std::string raw;
    std::vector<std::string> to;                    // its envelope recipients, where known
    std::optional<std::vector<tenant_id>> tenants;  // whose mail it may change; none: everybody's
};

struct taken {
    labels::bounce outcome = labels::bounce::other;
    std::vector<recipient_id> recipients;  // those that it changed
};

class intake {
public:
    // All outlive it.
    intake(
        store::queue& queue, const verdict::classifier& rules, const mail::verp_keys& keys, metrics& meters
    );

    void configure(config::config_ptr c) { config_ = std::move(c); }

    // The store's errors only.
    [[nodiscard]] asio::awaitable<result<taken>> take(mail_in in);

private:
    [[nodiscard]] asio::awaitable<result<taken>>
    record(reading r, std::optional<std::vector<tenant_id>> whose);
    [[nodiscard]] asio::awaitable<result<std::vector<message_id>>> candidates(const reading& r);
    [[nodiscard]] asio::awaitable<result<taken>>
    commit(std::vector<store::corrected> changes, labels::bounce otherwise);
    void note(const store::corrected& c);

    store::queue& queue_;
    const verdict::classifier& rules_;
    const mail::verp_keys& keys_;
    metrics& meters_;
    config::config_ptr config_;
};

}  // namespace estafette::bounce
