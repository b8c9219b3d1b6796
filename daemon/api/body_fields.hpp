// The small JSON bodies of actions: an optional object whose fields are texts and switches; whatever else
// it has is a fault with its pointer. Private to the api floor.
#pragma once

#include "problem.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace estafette::api {

struct body_field {
    std::string_view name;
    std::variant<std::optional<std::string>*, bool*> into;
};

// Fills what is there; the problem, if something is wrong. An empty body is an empty object.
[[nodiscard]] std::optional<problem>
read_body_fields(const std::string& body, std::initializer_list<body_field> fields);

// A caller's reason for the timeline: printable, not too long.
[[nodiscard]] std::string reason_of(const std::optional<std::string>& given);

}  // namespace estafette::api
