// Callers that ask about the same names go one after the other: between the look at what waits under a key
// and the commit that replaces it nobody else may put mail there.
//
// A caller takes all its names at once, so that no two can wait for each other. Thread: the loop.
#pragma once

#include "estafette/base/ids.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace estafette::sched {

namespace asio = boost::asio;

class turns {
public:
    using name = std::tuple<tenant_id, int, std::string>;  // tenant, kind of name, name

    class turn {
    public:
        turn(turns& of, std::vector<name> names)
            : of_{of}
            , names_{std::move(names)} {}

        ~turn() { of_.give_back(names_); }

        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;

    private:
        turns& of_;
        std::vector<name> names_;
    };

    explicit turns(asio::any_io_executor loop)
        : changed_{std::move(loop)} {}

    // Waits for those that are before; they wait for the store, which answers everybody.
    [[nodiscard]] asio::awaitable<std::unique_ptr<turn>> take(std::vector<name> names);

private:
    void give_back(const std::vector<name>& names);

    std::set<name> taken_;
    asio::steady_timer changed_;
};

}  // namespace estafette::sched
