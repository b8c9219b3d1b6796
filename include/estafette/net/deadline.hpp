// The two time limits of a connection: of the request under way (from the phase table, whatever number
// of reads it takes) and of the whole transaction, which holds slow but steady servers to a data rate.
//
// When the earlier one passes, `cut` is called once: it closes the socket, and whatever waits for it
// ends. One timer a connection, moved only when a limit comes closer: setting a limit costs no system
// call. Thread: the loop.
#pragma once

#include "estafette/base/time.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace estafette::net {

namespace asio = boost::asio;

class deadline {
public:
    deadline(asio::any_io_executor loop, std::function<void()> cut);
    ~deadline();
    deadline(const deadline&) = delete;
    deadline& operator=(const deadline&) = delete;

    void start_request(milliseconds limit);
    void start_total(milliseconds limit);
    void rest();  // nothing is awaited: neither limit holds

    [[nodiscard]] bool has_passed() const noexcept;

private:
    struct state;
    std::shared_ptr<state> state_;  // the timer's handler may come after our end
};

}  // namespace estafette::net
