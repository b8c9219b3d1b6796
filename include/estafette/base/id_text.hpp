// Identifiers as text in memory that is used again: for those who write many.
#pragma once

#include "estafette/base/ids.hpp"

#include <string>

namespace estafette {

// id.text(), behind what is there.
void append_text(std::string& to, const message_id& id);

}  // namespace estafette
