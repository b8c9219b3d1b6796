// Takes mail that came back, and the events of providers, and records what they say: read, matched,
// committed, counted, logged. What is forged or fits nothing changes nothing.
//
// Promises: a recipient moves once, from relayed, and not later than `bounces.window` after it was
// relayed; take() returns when that is durable. An address goes on its tenant's suppression list only for
// what verdict::weigh() says and for complaints; a report that is not proven weighs as a guess.
// Thread: the loop.
#pragma once

#include "estafette/base/metrics.hpp"
#include "estafette/bounce/provider.hpp"
#include "estafette/config/config.hpp"
#include "estafette/store/suppressions.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace estafette::bounce {

namespace asio = boost::asio;

// Whose mail a caller may change; none: everybody's.
using tenants = std::optional<std::vector<tenant_id>>;

struct mail_in {
    std::string raw;
    std::vector<std::string> to;  // its envelope recipients, where known
    bounce::tenants tenants;
};

struct webhook_in {
    provider from = provider::ses;
    webhook what;
    bounce::tenants tenants;
};

struct taken {
    labels::bounce outcome = labels::bounce::other;
    std::vector<recipient_id> recipients;  // those that it changed
};

struct webhook_taken {
    std::optional<webhook_fault> refused;
    std::vector<taken> events;
    std::string confirm_url;
};

class intake {
public:
    // All outlive it.
    intake(
        store::queue& queue,
        store::suppressions& lists,
        const verdict::classifier& rules,
        mail::verp_keys& keys,  // it fills them; the routes sign with them
        metrics& meters
    );

    // Reads the secrets of a configuration; configure() takes them into use. A sentence where one cannot be
    // read or made. After the store was opened.
    [[nodiscard]] boost::system::result<void, std::string> prepare(const config::config& c);
    void configure(config::config_ptr c);

    // The store's errors only.
    [[nodiscard]] asio::awaitable<result<taken>> take(mail_in in);
    [[nodiscard]] asio::awaitable<result<webhook_taken>> take(webhook_in in);

private:
    struct addressed {
        store::corrected what;
        tenant_id tenant;
        std::string address;
    };

    struct matched {
        std::vector<addressed> changes;
        labels::bounce otherwise = labels::bounce::unmatched;
    };

    [[nodiscard]] asio::awaitable<result<taken>> record(reading r, bounce::tenants whose);
    [[nodiscard]] asio::awaitable<result<matched>> match(const reading& r, const bounce::tenants& whose);
    [[nodiscard]] asio::awaitable<result<std::vector<message_id>>> candidates(const reading& r);
    [[nodiscard]] asio::awaitable<result<taken>> commit(std::vector<addressed> changes, bool is_proven);
    [[nodiscard]] asio::awaitable<result<taken>> stop(std::vector<addressed> changes);
    [[nodiscard]] asio::awaitable<result<void>> weigh(const addressed& one, bool is_proven);
    [[nodiscard]] taken ignore(labels::bounce outcome);
    void note(const store::corrected& c);

    store::queue& queue_;
    store::suppressions& lists_;
    const verdict::classifier& rules_;
    mail::verp_keys& keys_;
    metrics& meters_;
    config::config_ptr config_;
    provider_secrets secrets_;
    mail::verp_keys next_keys_;
    provider_secrets next_secrets_;
};

}  // namespace estafette::bounce
