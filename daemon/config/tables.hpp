// The option tables, one per kind of object, and the readers of whole objects.
#pragma once

#include "option.hpp"

namespace estafette::config {

[[nodiscard]] table<config> config_table() noexcept;
[[nodiscard]] table<listener> listener_table() noexcept;
[[nodiscard]] table<route_options> route_table() noexcept;
[[nodiscard]] table<endpoint> endpoint_table() noexcept;
[[nodiscard]] table<tenant_options> tenant_table() noexcept;

// A route's map, on top of its profile; nullopt if it is no map. The id is the caller's matter.
[[nodiscard]] std::optional<route_options>
read_route(const yaml::node& n, const std::string& path, reading& r);

[[nodiscard]] tenant_options
read_tenant(const yaml::node& n, const std::string& path, const std::string& name, reading& r);

[[nodiscard]] std::vector<grant> read_grants(const yaml::node& n, const std::string& path, reading& r);
[[nodiscard]] std::string write_grants(const std::vector<grant>& grants);
[[nodiscard]] std::vector<grant> default_grants(const machine& host);

// What can only be said of the whole: grants name tenants that exist, sockets differ.
void check_whole(const yaml::node& root, const config& c, reading& r);

// 1 to 64 characters of a-z 0-9 - _ .
[[nodiscard]] bool is_name(std::string_view text) noexcept;

}  // namespace estafette::config
