// Bare names such as "root", which cron, at and other local programs write: made whole addresses by the
// aliases and the default domain of the daemon's configuration.
//
// Only these three options are read, so that a fault elsewhere in the configuration, or a password file
// that the caller may not read, does not keep cron's mail back.
#pragma once

#include "console.hpp"

#include <boost/system/result.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::cli {

struct local_names {
    std::string domain;                          // for senders and header fields; never empty
    bool has_domain_for_all = false;             // bare recipients without an alias get the domain too
    std::map<std::string, std::string> aliases;  // lower-case name → address
    std::string socket;                          // the daemon's
    std::string complaint;                       // why the configuration was not used; empty: it was

    // The addresses meant by what a caller wrote: "a@x", "Ann <a@x>", "<a@x>", "root", "a@x,b@y"; or the
    // bare name that nobody stands for.
    [[nodiscard]] boost::system::result<std::vector<std::string>, std::string> expand(std::string_view written
    ) const;

    // "root@domain" for a bare name, without looking at the aliases: a sender.
    [[nodiscard]] std::string complete(std::string_view name) const;
};

// From $ESTAFETTE_CONFIG or /etc/estafette/estafette.yaml, with conf.d. Where that cannot be read the
// domain is that of /etc/mailname, else the machine's name, and there are no aliases. $ESTAFETTE_SOCKET
// goes before the configuration's socket.
[[nodiscard]] local_names load_local_names(const console& io);

}  // namespace estafette::cli
