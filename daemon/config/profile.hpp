// Provider profiles: what is known of a provider's servers, as defaults for a route's options
// (conf/profiles/*.yaml, and the operator's own). Data with its source; no code knows a provider.
#pragma once

#include "estafette/base/embedded.hpp"
#include "estafette/base/yaml.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace estafette {

// The profile files compiled into the program.
[[nodiscard]] std::span<const embedded_file> embedded_config();

}  // namespace estafette

namespace estafette::config {

struct profile {
    std::string description;
    yaml::node defaults;  // a map with keys of a route
};

class profile_set {
public:
    // Adds the profile of a file, or replaces the one of that name. The name is the file's, without ".yaml".
    void add(const std::string& file, std::string_view content, yaml::errors& out);

    [[nodiscard]] const profile* find(std::string_view name) const;
    [[nodiscard]] const std::map<std::string, profile, std::less<>>& all() const noexcept {
        return profiles_;
    }

private:
    std::map<std::string, profile, std::less<>> profiles_;
};

// Those compiled into the program, read once. A test sees to it that they are good.
[[nodiscard]] const profile_set& embedded_profiles();

}  // namespace estafette::config
