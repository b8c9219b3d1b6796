// What keeps the mail of a tenant and sender back, looked up once for each while a page is answered.
// Thread: the loop.
#pragma once

#include "estafette/api/gateway.hpp"
#include "estafette/store/views.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace estafette::api {

class hold_cache {
public:
    explicit hold_cache(const gateway& below)
        : below_{below} {}

    const std::optional<hold>& of(const store::recipient_view& r) {
        const std::pair key{r.tenant, r.sender};
        const auto found = known_.find(key);
        return found != known_.end() ? found->second
                                     : known_.emplace(key, below_.hold_of(r.tenant, r.sender)).first->second;
    }

private:
    const gateway& below_;
    std::map<std::pair<tenant_id, std::string>, std::optional<hold>> known_;
};

}  // namespace estafette::api
