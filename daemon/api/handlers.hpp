// One function per resource of docs/api.md. Each gets a request by value and answers it; what may go
// wrong is a response too. References outlive the coroutines: they belong to the server. Private.
#pragma once

#include "services.hpp"

#include <string>

namespace estafette::api {

[[nodiscard]] asio::awaitable<response> post_messages(services& s, request r);
[[nodiscard]] asio::awaitable<response> get_message(services& s, request r, std::string id);
[[nodiscard]] asio::awaitable<response> get_recipients(services& s, request r);
[[nodiscard]] asio::awaitable<response> cancel_message(services& s, request r, std::string id);
[[nodiscard]] asio::awaitable<response> get_diagnosis(services& s, request r);
[[nodiscard]] response get_allow_list(const request& r, const std::string& tenant);
[[nodiscard]] asio::awaitable<response>
cancel_labelled(services& s, request r, store::label by, std::string value);
[[nodiscard]] asio::awaitable<response> post_sequence(services& s, request r);
[[nodiscard]] asio::awaitable<response> post_erase(services& s, request r);
[[nodiscard]] asio::awaitable<response> get_categories(services& s, request r);
[[nodiscard]] asio::awaitable<response> switch_category_off(services& s, request r, std::string category);
[[nodiscard]] asio::awaitable<response> switch_category_on(services& s, request r, std::string category);
[[nodiscard]] asio::awaitable<response> get_queue(services& s, request r);
[[nodiscard]] asio::awaitable<response> pause_route(services& s, request r, std::string id);
[[nodiscard]] asio::awaitable<response> resume_route(services& s, request r, std::string id);

[[nodiscard]] response get_unmatched(const services& s, const request& r);
[[nodiscard]] asio::awaitable<response> post_bounce(services& s, request r);
[[nodiscard]] asio::awaitable<response> get_suppressions(services& s, request r);
[[nodiscard]] asio::awaitable<response> post_suppressions(services& s, request r);
[[nodiscard]] asio::awaitable<response> delete_suppression(services& s, request r);
[[nodiscard]] asio::awaitable<response> post_action(services& s, request r);
[[nodiscard]] asio::awaitable<response> get_actions(services& s, request r);
[[nodiscard]] asio::awaitable<response> undo_action(services& s, request r, std::string id);
[[nodiscard]] asio::awaitable<response> get_pauses(services& s, request r);
[[nodiscard]] asio::awaitable<response> pause_tenant(services& s, request r, std::string name);
[[nodiscard]] asio::awaitable<response> resume_tenant(services& s, request r, std::string name);

// These need no role and no waiting.
[[nodiscard]] response get_livez();
[[nodiscard]] response get_readyz(const services& s);
[[nodiscard]] response get_metrics(services& s);
[[nodiscard]] response get_version(const services& s);

// Finds the resource: 404, 405 with Allow, OPTIONS and 403 are answered here.
[[nodiscard]] asio::awaitable<response> route_request(services& s, request r);

}  // namespace estafette::api
