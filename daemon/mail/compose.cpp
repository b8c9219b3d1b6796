#include "estafette/mail/compose.hpp"

#include "draft.hpp"

namespace estafette::mail {
namespace {

// Raw bytes bring their own header and content.
void refuse_mixture(draft& d) {
    const auto& s = d.given;
    const std::pair<const char*, bool> given[]{
        {"/from", s.from.has_value()},
        {"/to", !s.to.items.empty()},
        {"/cc", !s.cc.items.empty()},
        {"/bcc", !s.bcc.items.empty()},
        {"/reply_to", !s.reply_to.items.empty()},
        {"/subject", s.subject.has_value()},
        {"/text", s.text.has_value()},
        {"/html", s.html.has_value()},
        {"/headers", !s.headers.empty()},
        {"/attachments", !s.attachments.empty()},
    };
    for (const auto& [pointer, is_given] : given)
        if (is_given)
            d.refuse(pointer, errc::field_conflict, "cannot go together with raw");
}

}  // namespace

boost::system::result<message, std::vector<field_error>>
compose(const submission& s, const compose_options& options) {
    draft d{.given = s, .options = options, .made = {}, .errors = {}};
    d.made.id = options.id;
    d.made.tenant = s.tenant;
    compose_envelope(d);
    if (s.raw || s.raw_bytes) {
        refuse_mixture(d);
        compose_raw(d);
    } else {
        compose_structured(d);
    }
    if (!d.errors.empty())
        return std::move(d.errors);
    return std::move(d.made);
}

}  // namespace estafette::mail
