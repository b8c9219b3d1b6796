// Tenant → route. A tenant has the vendor's relay or its own server; where that is missing there is no
// route and its mail is held: never sent through another one.
// Thread: the loop.
#pragma once

#include "estafette/config/config.hpp"
#include "estafette/route/route.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace estafette::route {

class table {
public:
    table(asio::any_io_executor loop, services uses);

    // Builds the routes of the configuration. Routes whose options did not change are kept with their
    // connections; the others finish what they do and go. An error is a sentence about a secret that cannot
    // be read or a certificate that cannot be used; nothing has changed then.
    [[nodiscard]] boost::system::result<void, std::string> load(const config::config& c);

    // Null: the tenant is unknown or has no route.
    [[nodiscard]] route* find(const tenant_id& tenant) const;
    [[nodiscard]] route* find(const route_id& id) const;

    [[nodiscard]] std::vector<route*> all() const;

    // Recipients that connections have in hand, those of routes that were replaced too.
    [[nodiscard]] std::vector<recipient_id> in_hand() const;

    // Those, and the ones that wait for a connection.
    [[nodiscard]] std::vector<recipient_id> known() const;

    void stop(asio::cancellation_type how);
    [[nodiscard]] asio::awaitable<bool> wait(milliseconds limit);

private:
    asio::any_io_executor loop_;
    services uses_;
    std::map<route_id, std::unique_ptr<route>> routes_;
    std::map<tenant_id, route*> by_tenant_;
    std::vector<std::unique_ptr<route>> leaving_;  // replaced by a reload, their workers still at work
};

}  // namespace estafette::route
