#include "estafette/mail/message.hpp"

namespace estafette::mail {

std::string_view to_text(priority p) noexcept {
    switch (p) {
    case priority::transactional: return "transactional";
    case priority::bulk: return "bulk";
    }
    return "transactional";
}

}  // namespace estafette::mail
