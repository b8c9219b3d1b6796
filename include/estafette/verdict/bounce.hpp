// What a report that came back later means (mail/dsn.hpp): the same rules that read replies, with the
// report's action in the place of the phase. Thread: as the classifier.
#pragma once

#include "estafette/mail/dsn.hpp"
#include "estafette/verdict/classifier.hpp"

namespace estafette::verdict {

// failed → fail, delayed → retry, delivered → accepted; relayed and expanded say nothing final: accepted
// with `certain` false. A report tells of one recipient's end: its scope says whose fault it was, but the
// disposition follows the report, because the message has left us.
[[nodiscard]] verdict judge(const classifier& c, const mail::reported_recipient& reported);

}  // namespace estafette::verdict
