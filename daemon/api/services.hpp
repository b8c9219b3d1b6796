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

// The bodies of all requests under way, together: a thousand callers must not bring 25 MiB each.
class body_memory {
public:
    class share {
    public:
        share(body_memory& of, std::uint64_t bytes)
            : of_{of}
            , bytes_{bytes} {}

        ~share() { of_.taken_ -= bytes_; }

        share(const share&) = delete;
        share& operator=(const share&) = delete;

    private:
        body_memory& of_;
        std::uint64_t bytes_;
    };

    // Null where there is no room; the first one always has it.
    [[nodiscard]] std::unique_ptr<share> take(std::uint64_t bytes);

private:
    std::uint64_t taken_ = 0;
};

struct services {
    store::queue& queue;
    gateway& below;
    metrics& meters;
    admission intake;
    keys_in_use keys;
    body_memory memory;
};

}  // namespace estafette::api
