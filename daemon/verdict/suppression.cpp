#include "estafette/verdict/suppression.hpp"

namespace estafette::verdict {

suppresses weigh(const verdict& v) noexcept {
    if (v.what != disposition::fail || v.fault != scope::recipient || v.why != reason::unknown_user) {
        return suppresses::no;
    }
    return v.certain ? suppresses::at_once : suppresses::if_repeated;
}

}  // namespace estafette::verdict
