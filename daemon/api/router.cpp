#include "handlers.hpp"

#include <functional>

namespace estafette::api {
namespace {

enum class resource : std::uint8_t {
    none,
    messages,
    message,
    cancel,
    cancel_key,
    cancel_group,
    sequences,
    erase,
    categories,
    category_off,
    category_on,
    recipients,
    diagnosis,
    allow_list,
    bounces,
    suppressions,
    queue,
    pause,
    resume,
    unmatched,
    pauses,
    pause_tenant,
    resume_tenant,
    actions,
    undo,
    livez,
    readyz,
    metrics,
    version,
};

resource find(const std::vector<std::string>& path) {
    if (path.size() == 1) {
        if (path[0] == "livez")
            return resource::livez;
        if (path[0] == "readyz")
            return resource::readyz;
        if (path[0] == "metrics")
            return resource::metrics;
        return path[0] == "version" ? resource::version : resource::none;
    }
    if (path.size() < 2 || path[0] != "v1")
        return resource::none;
    if (path.size() == 2) {
        if (path[1] == "messages")
            return resource::messages;
        if (path[1] == "recipients")
            return resource::recipients;
        if (path[1] == "diagnosis")
            return resource::diagnosis;
        if (path[1] == "bounces")
            return resource::bounces;
        if (path[1] == "suppressions")
            return resource::suppressions;
        if (path[1] == "pauses")
            return resource::pauses;
        if (path[1] == "actions")
            return resource::actions;
        if (path[1] == "sequences")
            return resource::sequences;
        if (path[1] == "erase")
            return resource::erase;
        if (path[1] == "categories")
            return resource::categories;
        return path[1] == "queue" ? resource::queue : resource::none;
    }
    if (path[1] == "messages" && path.size() == 3)
        return resource::message;
    if (path[1] == "messages" && path.size() == 4 && path[3] == "cancel")
        return resource::cancel;
    if (path[1] == "tenants" && path.size() == 4 && path[3] == "allowlist")
        return resource::allow_list;
    if (path[1] == "keys" && path.size() == 4 && path[3] == "cancel")
        return resource::cancel_key;
    if (path[1] == "groups" && path.size() == 4 && path[3] == "cancel")
        return resource::cancel_group;
    if (path[1] == "categories" && path.size() == 4 && path[3] == "off")
        return resource::category_off;
    if (path[1] == "categories" && path.size() == 4 && path[3] == "on")
        return resource::category_on;
    if (path[1] == "routes" && path.size() == 4 && path[3] == "pause")
        return resource::pause;
    if (path[1] == "routes" && path.size() == 4 && path[3] == "resume")
        return resource::resume;
    if (path[1] == "rules" && path.size() == 3 && path[2] == "unmatched")
        return resource::unmatched;
    if (path[1] == "tenants" && path.size() == 4 && path[3] == "pause")
        return resource::pause_tenant;
    if (path[1] == "tenants" && path.size() == 4 && path[3] == "resume")
        return resource::resume_tenant;
    if (path[1] == "actions" && path.size() == 4 && path[3] == "undo")
        return resource::undo;
    return resource::none;
}

bool is_open_to_all(resource what) {
    return what == resource::livez || what == resource::readyz || what == resource::metrics ||
           what == resource::version;
}

bool takes_post(resource what) {
    switch (what) {
    case resource::messages:
    case resource::bounces:
    case resource::cancel:
    case resource::cancel_key:
    case resource::cancel_group:
    case resource::sequences:
    case resource::erase:
    case resource::category_off:
    case resource::category_on:
    case resource::pause:
    case resource::resume:
    case resource::pause_tenant:
    case resource::resume_tenant:
    case resource::undo: return true;
    case resource::none:
    case resource::pauses:
    case resource::actions:
    case resource::message:
    case resource::categories:
    case resource::recipients:
    case resource::diagnosis:
    case resource::allow_list:
    case resource::suppressions:
    case resource::queue:
    case resource::unmatched:
    case resource::livez:
    case resource::readyz:
    case resource::metrics:
    case resource::version: return false;
    }
    return false;
}

// Lists that are read and added to, and one that is also taken from.
const char* methods_of(resource what) {
    if (what == resource::suppressions)
        return "GET, HEAD, POST, DELETE, OPTIONS";
    if (what == resource::actions)
        return "GET, HEAD, POST, OPTIONS";
    return takes_post(what) ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
}

bool takes(resource what, verb method) {
    const bool reads = method == verb::get || method == verb::head;
    if (what == resource::suppressions)
        return reads || method == verb::post || method == verb::erase;
    if (what == resource::actions)
        return reads || method == verb::post;
    return takes_post(what) ? method == verb::post : reads;
}

// What can be said without a handler: OPTIONS, 405, 403.
std::optional<response> answer_early(const request& r, resource what) {
    if (r.method == verb::options) {
        response out;
        out.status = 204;
        out.headers.emplace_back("Allow", methods_of(what));
        return out;
    }
    if (!takes(what, r.method))
        return to_response(not_allowed(methods_of(what)));
    if (is_open_to_all(what) || access{r.who, r.config->grants}.has_any_role())
        return std::nullopt;
    return to_response(forbidden(r.who.text() + " has no role here"));
}

asio::awaitable<response> suppressions(services& s, request r) {
    if (r.method == verb::post)
        co_return co_await post_suppressions(s, std::move(r));
    if (r.method == verb::erase)
        co_return co_await delete_suppression(s, std::move(r));
    co_return co_await get_suppressions(s, std::move(r));
}

}  // namespace

asio::awaitable<response> route_request(services& s, request r) {
    const auto what = find(r.where.path);
    if (what == resource::none) {
        const bool is_known = access{r.who, r.config->grants}.has_any_role();
        co_return to_response(is_known ? not_found() : forbidden(r.who.text() + " has no role here"));
    }
    if (auto early = answer_early(r, what))
        co_return std::move(*early);
    auto id = r.where.path.size() > 2 ? r.where.path[2] : std::string{};
    const bool is_post = r.method == verb::post;
    switch (what) {
    case resource::none: break;
    case resource::messages: co_return co_await post_messages(s, std::move(r));
    case resource::message: co_return co_await get_message(s, std::move(r), std::move(id));
    case resource::cancel: co_return co_await cancel_message(s, std::move(r), std::move(id));
    case resource::cancel_key:
        co_return co_await cancel_labelled(s, std::move(r), store::label::key, std::move(id));
    case resource::cancel_group:
        co_return co_await cancel_labelled(s, std::move(r), store::label::group, std::move(id));
    case resource::sequences: co_return co_await post_sequence(s, std::move(r));
    case resource::erase: co_return co_await post_erase(s, std::move(r));
    case resource::categories: co_return co_await get_categories(s, std::move(r));
    case resource::category_off: co_return co_await switch_category_off(s, std::move(r), std::move(id));
    case resource::category_on: co_return co_await switch_category_on(s, std::move(r), std::move(id));
    case resource::recipients: co_return co_await get_recipients(s, std::move(r));
    case resource::diagnosis: co_return co_await get_diagnosis(s, std::move(r));
    case resource::allow_list: co_return get_allow_list(r, id);
    case resource::bounces: co_return co_await post_bounce(s, std::move(r));
    case resource::suppressions: co_return co_await suppressions(s, std::move(r));
    case resource::queue: co_return co_await get_queue(s, std::move(r));
    case resource::pause: co_return co_await pause_route(s, std::move(r), std::move(id));
    case resource::resume: co_return co_await resume_route(s, std::move(r), std::move(id));
    case resource::unmatched: co_return get_unmatched(s, r);
    case resource::pauses: co_return co_await get_pauses(s, std::move(r));
    case resource::pause_tenant: co_return co_await pause_tenant(s, std::move(r), std::move(id));
    case resource::resume_tenant: co_return co_await resume_tenant(s, std::move(r), std::move(id));
    case resource::actions:
        co_return is_post ? co_await post_action(s, std::move(r)) : co_await get_actions(s, std::move(r));
    case resource::undo: co_return co_await undo_action(s, std::move(r), std::move(id));
    case resource::livez: co_return get_livez();
    case resource::readyz: co_return get_readyz(s);
    case resource::metrics: co_return get_metrics(s);
    case resource::version: co_return get_version(s);
    }
    co_return to_response(not_found());
}

}  // namespace estafette::api
