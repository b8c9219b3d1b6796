// The body of POST /v1/sequences → one submission a step, each with its time: pure but for the zones.
// Private to the api floor.
#pragma once

#include "problem.hpp"
#include "submission_reader.hpp"

#include "estafette/config/config.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <vector>

namespace estafette::api {

enum class past_rule : std::uint8_t { skip, send, reject };

struct sequence_step {
    std::string offset;  // as it was given
    wall_time send_at;
    bool is_past = false;
    reading mail;                  // with send_at and group filled in
    std::vector<std::string> own;  // the fields that the step itself brought
};

struct sequence {
    std::optional<std::string> tenant;
    std::string group;
    past_rule past = past_rule::skip;
    std::optional<sched::key_rule> on_group = sched::key_rule::replace;  // none: add
    std::vector<sequence_step> steps;
};

inline constexpr std::size_t most_steps = 100;

// Only the tenant, for who may call.
[[nodiscard]] std::optional<std::string> tenant_of_sequence(const boost::json::value& v);

// `standard`: the zone where none is named.
[[nodiscard]] boost::system::result<sequence, problem>
read_sequence(const boost::json::value& v, const zone& standard, wall_time now);

// Errors of a step's message, pointing at the step or at what all steps share.
[[nodiscard]] std::vector<mail::field_error>
errors_of_step(const sequence_step& step, std::size_t place, std::vector<mail::field_error> errors);

}  // namespace estafette::api
