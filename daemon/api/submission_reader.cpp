#include "submission_reader.hpp"

#include "estafette/base/text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace estafette::api {
namespace {

namespace json = boost::json;

std::string escape_pointer(std::string_view key) {
    std::string out;
    for (const char c : key) {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

// Reads fields by type; a wrong type is an error at its pointer, null is as if the field were not there.
class field_reader {
public:
    explicit field_reader(std::vector<mail::field_error>& errors)
        : errors_{errors} {}

    void refuse(const std::string& pointer, errc why, std::string detail = {}) {
        const error_code code = why;
        errors_.push_back({pointer, code, detail.empty() ? code.message() : std::move(detail)});
    }

    void string(const json::value& v, const std::string& at, std::string& into) {
        if (const auto* s = v.if_string())
            into.assign(s->data(), s->size());
        else
            refuse(at, errc::field_type, "must be a string");
    }

    void string(const json::value& v, const std::string& at, std::optional<std::string>& into) {
        if (!v.is_null())
            string(v, at, into.emplace());
    }

    // A wrong entry keeps its place, so that the pointers behind it stay right.
    void strings(const json::value& v, const std::string& at, std::vector<std::string>& into) {
        const auto* array = v.if_array();
        if (array == nullptr) {
            refuse(at, errc::field_type, "must be an array of strings");
            return;
        }
        for (std::size_t i = 0; i < array->size(); ++i)
            string((*array)[i], at + "/" + std::to_string(i), into.emplace_back());
    }

    void addresses(const json::value& v, const std::string& at, mail::address_list& into) {
        if (v.is_null())
            return;
        if (v.is_string()) {
            into.is_array = false;
            string(v, at, into.items.emplace_back());
        } else if (v.is_array()) {
            strings(v, at, into.items);
        } else {
            refuse(at, errc::field_type, "must be a string or an array of strings");
        }
    }

    void boolean(const json::value& v, const std::string& at, bool& into) {
        if (const auto* b = v.if_bool())
            into = *b;
        else if (!v.is_null())
            refuse(at, errc::field_type, "must be true or false");
    }

    // Null where it is not an object; the error is noted.
    const json::object* object(const json::value& v, const std::string& at) {
        if (v.is_null())
            return nullptr;
        if (!v.is_object())
            refuse(at, errc::field_type, "must be an object");
        return v.if_object();
    }

private:
    std::vector<mail::field_error>& errors_;
};

void read_attachments(field_reader& read, const json::value& v, std::vector<mail::attachment>& into) {
    if (v.is_null())
        return;
    const auto* array = v.if_array();
    if (array == nullptr) {
        read.refuse("/attachments", errc::field_type, "must be an array of objects");
        return;
    }
    for (std::size_t i = 0; i < array->size(); ++i) {
        const auto at = "/attachments/" + std::to_string(i);
        auto& made = into.emplace_back();
        if ((*array)[i].is_null())
            read.refuse(at, errc::field_type, "must be an object");
        const auto* object = read.object((*array)[i], at);
        if (object == nullptr)
            continue;
        if (!object->contains("content"))
            read.refuse(at + "/content", errc::field_missing);
        for (const auto& [key, value] : *object) {
            const auto field = at + "/" + escape_pointer(key);
            if (key == "filename")
                read.string(value, field, made.filename);
            else if (key == "content_type")
                read.string(value, field, made.content_type);
            else if (key == "content")
                read.string(value, field, made.content);
            else if (key == "content_id")
                read.string(value, field, made.content_id);
            else
                read.refuse(field, errc::field_unknown);
        }
    }
}

void read_envelope(field_reader& read, const json::value& v, std::optional<mail::envelope_fields>& into) {
    const auto* object = read.object(v, "/envelope");
    if (object == nullptr)
        return;
    auto& made = into.emplace();
    for (const auto& [key, value] : *object) {
        const auto field = "/envelope/" + escape_pointer(key);
        if (key == "from")
            read.string(value, field, made.from);
        else if (key == "to" && !value.is_null())
            read.strings(value, field, made.to.emplace());
        else if (key != "to")
            read.refuse(field, errc::field_unknown);
    }
}

void read_dsn(field_reader& read, const json::value& v, std::optional<mail::dsn_fields>& into) {
    const auto* object = read.object(v, "/dsn");
    if (object == nullptr)
        return;
    auto& made = into.emplace();
    for (const auto& [key, value] : *object) {
        const auto field = "/dsn/" + escape_pointer(key);
        if (key == "notify" && !value.is_null())
            read.addresses(value, field, made.notify.emplace());
        else if (key == "return")
            read.string(value, field, made.content);
        else if (key == "envelope_id")
            read.string(value, field, made.envelope_id);
        else if (key != "notify")
            read.refuse(field, errc::field_unknown);
    }
}

void read_headers(field_reader& read, const json::value& v, mail::submission& into) {
    if (const auto* object = read.object(v, "/headers"))
        for (const auto& [key, value] : *object) {
            auto& [name, text] = into.headers.emplace_back();
            name = key;
            read.string(value, "/headers/" + escape_pointer(key), text);
        }
}

// True if the key is a field of content or address.
bool read_content(field_reader& read, std::string_view key, const json::value& v, mail::submission& into) {
    if (key == "from")
        read.string(v, "/from", into.from);
    else if (key == "to")
        read.addresses(v, "/to", into.to);
    else if (key == "cc")
        read.addresses(v, "/cc", into.cc);
    else if (key == "bcc")
        read.addresses(v, "/bcc", into.bcc);
    else if (key == "reply_to")
        read.addresses(v, "/reply_to", into.reply_to);
    else if (key == "subject")
        read.string(v, "/subject", into.subject);
    else if (key == "text")
        read.string(v, "/text", into.text);
    else if (key == "html")
        read.string(v, "/html", into.html);
    else if (key == "headers")
        read_headers(read, v, into);
    else if (key == "attachments")
        read_attachments(read, v, into.attachments);
    else if (key == "raw")
        read.string(v, "/raw", into.raw);
    else if (key == "envelope")
        read_envelope(read, v, into.envelope);
    else
        return false;
    return true;
}

void read_label(field_reader& read, const json::value& v, const std::string& at, std::string& into) {
    if (!v.is_null())
        read.string(v, at, into);
}

void read_rule(field_reader& read, std::string_view word, sched::key_rule& into) {
    if (word == "replace")
        into = sched::key_rule::replace;
    else if (word == "keep")
        into = sched::key_rule::keep;
    else if (word == "reject")
        into = sched::key_rule::reject;
    else
        read.refuse("/on_key", errc::field_type, "must be replace, keep or reject");
}

bool read_options(field_reader& read, std::string_view key, const json::value& v, reading& into) {
    auto& s = into.what;
    if (key == "tenant")
        read.string(v, "/tenant", into.tenant);
    else if (key == "send_at")
        read.string(v, "/send_at", s.send_at);
    else if (key == "expires_at")
        read.string(v, "/expires_at", s.expires_at);
    else if (key == "priority")
        read.string(v, "/priority", s.priority);
    else if (key == "category")
        read_label(read, v, "/category", s.category);
    else if (key == "group")
        read_label(read, v, "/group", s.group);
    else if (key == "key")
        read_label(read, v, "/key", s.key);
    else if (key == "on_key") {
        std::optional<std::string> word;
        read.string(v, "/on_key", word);
        if (word)
            read_rule(read, *word, into.on_key);
    } else if (key == "tags") {
        if (!v.is_null())
            read.strings(v, "/tags", s.tags);
    } else if (key == "metadata") {
        if (const auto* object = read.object(v, "/metadata"); object != nullptr && !object->empty())
            s.metadata = json::serialize(*object);
    } else if (key == "require_tls")
        read.boolean(v, "/require_tls", s.require_tls);
    else if (key == "ignore_suppression")
        read.boolean(v, "/ignore_suppression", s.ignore_suppression);
    else if (key == "dsn")
        read_dsn(read, v, s.dsn);
    else
        return false;
    return true;
}

}  // namespace

reading read_submission(const json::value& v) {
    reading out;
    field_reader read{out.errors};
    const auto* object = v.if_object();
    if (object == nullptr) {
        read.refuse("", errc::field_type, "must be an object");
        return out;
    }
    for (const auto& [key, value] : *object)
        if (!read_content(read, key, value, out.what) && !read_options(read, key, value, out))
            read.refuse("/" + escape_pointer(key), errc::field_unknown);
    return out;
}

reading read_raw_submission(const target& where, std::string body) {
    reading out;
    auto& s = out.what;
    s.raw_bytes = std::move(body);
    auto& envelope = s.envelope.emplace();
    field_reader read{out.errors};
    const auto once = [&](const std::string& name, const std::string& value, auto& into) {
        if constexpr (std::is_same_v<std::decay_t<decltype(into)>, std::string>) {
            if (!into.empty())
                read.refuse("/" + name, errc::field_conflict, "is given twice");
        } else if (into) {
            read.refuse("/" + name, errc::field_conflict, "is given twice");
        }
        into = value;
    };
    for (const auto& [name, value] : where.query) {
        if (name == "from")
            once("envelope/from", value, envelope.from);
        else if (name == "to")
            (envelope.to ? *envelope.to : envelope.to.emplace()).push_back(value);
        else if (name == "tenant")
            once(name, value, out.tenant);
        else if (name == "send_at")
            once(name, value, s.send_at);
        else if (name == "expires_at")
            once(name, value, s.expires_at);
        else if (name == "priority")
            once(name, value, s.priority);
        else if (name == "category")
            once(name, value, s.category);
        else if (name == "group")
            once(name, value, s.group);
        else if (name == "key")
            once(name, value, s.key);
        else if (name == "on_key")
            read_rule(read, value, out.on_key);
        else if (name == "tag")
            s.tags.push_back(value);
        else
            read.refuse("/" + escape_pointer(printable(name, 64)), errc::field_unknown);
    }
    return out;
}

void merge_errors(std::vector<mail::field_error>& into, std::vector<mail::field_error> more) {
    const auto is_within = [](std::string_view inner, std::string_view outer) {
        return inner == outer || (inner.starts_with(outer) && inner.substr(outer.size()).starts_with('/'));
    };
    const std::vector<mail::field_error> known = into;
    for (auto& e : more) {
        const auto overlaps = [&](const mail::field_error& k) {
            return is_within(e.pointer, k.pointer) || is_within(k.pointer, e.pointer);
        };
        if (std::ranges::none_of(known, overlaps))
            into.push_back(std::move(e));
    }
}

}  // namespace estafette::api
