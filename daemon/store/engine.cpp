#include "estafette/store/engine.hpp"

namespace estafette::store {

std::vector<result<mail::message_ptr>> engine::load_many(std::span<const message_id> ids) {
    std::vector<result<mail::message_ptr>> all;
    all.reserve(ids.size());
    for (const auto& id : ids) {
        all.push_back(load(id));
    }
    return all;
}

}  // namespace estafette::store
