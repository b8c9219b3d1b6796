// What the handlers work with, and the little they must remember between requests. Private.
// Thread: the loop.
#pragma once

#include "problem.hpp"

#include "estafette/api/gateway.hpp"
#include "estafette/base/metrics.hpp"
#include "estafette/store/queue.hpp"

#include <map>
#include <utility>

namespace estafette::api {

// How much may come in: the queue's limit, looked up at most once a second.
class admission {
public:
    // A problem where `recipients` more are too many or the store is ill.
    [[nodiscard]] asio::awaitable<std::optional<problem>>
    check(store::queue& queue, std::size_t recipients, std::uint64_t limit);

    void admitted(std::size_t recipients) { waiting_ += recipients; }

private:
    std::uint64_t waiting_ = 0;  // as counted, and what came since
    steady_time counted_at_{};
    bool is_counted_ = false;
};

// The idempotency keys of the requests under way.
class keys_in_use {
public:
    using key = std::pair<tenant_id, std::string>;

    class claim {
    public:
        claim(keys_in_use& of, key k)
            : of_{of}
            , key_{std::move(k)} {}

        ~claim() { of_.keys_.erase(key_); }

        claim(const claim&) = delete;
        claim& operator=(const claim&) = delete;

    private:
        keys_in_use& of_;
        key key_;
    };

    // Takes the key; null where another request has it.
    [[nodiscard]] std::unique_ptr<claim> take(const key& k, const std::string& digest);

    // The digest of the request that has the key, or null.
    [[nodiscard]] const std::string* digest_of(const key& k) const;

private:
    std::map<key, std::string> keys_;
};

struct services {
    store::queue& queue;
    gateway& below;
    metrics& meters;
    admission intake;
    keys_in_use keys;
};

}  // namespace estafette::api
