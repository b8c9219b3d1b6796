#include "memory_engine.hpp"

#include "estafette/store/engine.hpp"
#include "estafette/store/local_engine.hpp"

namespace estafette::store {

boost::system::result<std::unique_ptr<engine>, open_error> open_engine(const config::store_options& options) {
    if (options.engine == "memory") {
        return make_memory_engine(options);
    }
    if (options.engine == "local") {
        return open_local_engine(options);
    }
    return open_error{errc::internal, "store.engine: " + options.engine + " is not an engine of this build"};
}

}  // namespace estafette::store
