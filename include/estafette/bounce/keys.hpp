// The secrets that sign return paths: those of `bounces.secrets`, else one of our own in the folder of the
// store, made when it is missing.
//
// It reads and writes files: for start and reload, after the store was opened. Thread: any.
#pragma once

#include "estafette/bounce/provider.hpp"
#include "estafette/config/config.hpp"
#include "estafette/mail/verp.hpp"

#include <string>

namespace estafette::bounce {

// Or a sentence with the file's name.
[[nodiscard]] boost::system::result<mail::verp_keys, std::string> load_keys(const config::config& c);

// What proves the events of providers.
[[nodiscard]] boost::system::result<provider_secrets, std::string> load_secrets(const config::config& c);

}  // namespace estafette::bounce
