#include "estafette/base/text.hpp"
#include "estafette/mail/compose.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace estafette::mail {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;

const wall_time noon = *parse_rfc3339("2026-05-01T12:00:00Z");
const std::string id_text = "01977a1e-0000-7000-8000-000000000001";

compose_options options() {
    compose_options o;
    o.id = *message_id::parse(id_text);
    o.now = noon;
    o.random.fill(0xab);
    o.message_id_domain = "mail.vendor.example";
    return o;
}

submission badge() {
    submission s;
    s.tenant = default_tenant();
    s.from = "Badges <badges@vendor.example>";
    s.to.items = {"Ann <ann@customer.example>"};
    s.subject = "Your badge";
    s.text = "Here it is.\n";
    return s;
}

std::vector<std::string> pointers(const boost::system::result<message, std::vector<field_error>>& r) {
    std::vector<std::string> out;
    if (r.has_error())
        for (const auto& e : r.error())
            out.push_back(e.pointer);
    return out;
}

struct refused {
    std::string what;
    std::function<void(submission&)> change;
    std::vector<std::string> at;
    errc why;
};

const std::string injection = "b\r\nRCPT TO:<c@y>";

const std::vector<refused>& refusals() {
    static const std::vector<refused> cases{
        {"injection in to", [](auto& s) { s.to.items = {injection}; }, {"/to/0"}, errc::control_character},
        {"in a single to", [](auto& s) { s.to = {{injection}, false}; }, {"/to"}, errc::control_character},
        {"in an envelope id",
         [](auto& s) { s.dsn = {{}, {}, injection}; },
         {"/dsn/envelope_id"},
         errc::control_character},
        {"an envelope id that is not ASCII",
         [](auto& s) { s.dsn = {{}, {}, "é"}; },
         {"/dsn/envelope_id"},
         errc::field_type},
        {"an envelope id of 101 bytes",
         [](auto& s) { s.dsn = {{}, {}, std::string(101, 'x')}; },
         {"/dsn/envelope_id"},
         errc::too_large},
        {"one of 101 as xtext",
         [](auto& s) { s.dsn = {{}, {}, std::string(32, '+') + "xxxxx"}; },
         {"/dsn/envelope_id"},
         errc::too_large},
        {"no such report",
         [](auto& s) { s.dsn = {{{{"failure", "sometimes"}, true}}, {}, {}}; },
         {"/dsn/notify/1"},
         errc::field_type},
        {"no such single report",
         [](auto& s) { s.dsn = {{{{""}, false}}, {}, {}}; },
         {"/dsn/notify"},
         errc::field_type},
        {"no report at all",
         [](auto& s) { s.dsn = {{{{}, true}}, {}, {}}; },
         {"/dsn/notify"},
         errc::field_missing},
        {"never and more",
         [](auto& s) { s.dsn = {{{{"never", "delay"}, true}}, {}, {}}; },
         {"/dsn/notify"},
         errc::field_conflict},
        {"no such part", [](auto& s) { s.dsn = {{}, "half", {}}; }, {"/dsn/return"}, errc::field_type},
        {"in cc", [](auto& s) { s.cc.items = {"a@x", injection}; }, {"/cc/1"}, errc::control_character},
        {"in bcc", [](auto& s) { s.bcc.items = {injection}; }, {"/bcc/0"}, errc::control_character},
        {"in from", [](auto& s) { s.from = "A\nBcc: e@x <a@x>"; }, {"/from"}, errc::control_character},
        {"in reply_to",
         [](auto& s) { s.reply_to.items = {injection}; },
         {"/reply_to/0"},
         errc::control_character},
        {"in subject", [](auto& s) { s.subject = "a\r\nBcc: e@x"; }, {"/subject"}, errc::control_character},
        {"in a custom value",
         [](auto& s) { s.headers = {{"X-A", "a\nB: c"}}; },
         {"/headers/X-A"},
         errc::control_character},
        {"in a custom name",
         [](auto& s) { s.headers = {{"X-A: b\r\nB", "c"}}; },
         {"/headers/X-A: b\r\nB"},
         errc::header_invalid},
        {"in a file name",
         [](auto& s) { s.attachments = {{"a\r\nX: y", "", "", ""}}; },
         {"/attachments/0/filename"},
         errc::control_character},
        {"in a media type",
         [](auto& s) { s.attachments = {{"a", "text/plain\r\nX: y", "", ""}}; },
         {"/attachments/0/content_type"},
         errc::header_invalid},
        {"in a content id",
         [](auto& s) { s.attachments = {{"a", "", "", "x>\r\nX: y"}}; },
         {"/attachments/0/content_id"},
         errc::header_invalid},
        {"in the envelope",
         [](auto& s) { s.envelope = envelope_fields{injection, {{injection}}}; },
         {"/envelope/from", "/envelope/to/0"},
         errc::control_character},
        {"in a tag", [](auto& s) { s.tags = {"a", "b\n"}; }, {"/tags/1"}, errc::control_character},
        {"in the category", [](auto& s) { s.category = "\x1b"; }, {"/category"}, errc::control_character},
        {"in the group", [](auto& s) { s.group = "\x7f"; }, {"/group"}, errc::control_character},
        {"in the key", [](auto& s) { s.key = std::string(1, '\0'); }, {"/key"}, errc::control_character},
        {"NUL in text", [](auto& s) { s.text = "a\0b"s; }, {"/text"}, errc::control_character},
        {"NUL in html", [](auto& s) { s.html = "a\0b"s; }, {"/html"}, errc::control_character},
        {"broken UTF-8 in text", [](auto& s) { s.text = "\xff"; }, {"/text"}, errc::utf8_invalid},
        {"broken UTF-8 in subject",
         [](auto& s) { s.subject = "\xed\xa0\x80"; },
         {"/subject"},
         errc::utf8_invalid},
        {"no from", [](auto& s) { s.from.reset(); }, {"/from"}, errc::field_missing},
        {"nobody to send to", [](auto& s) { s.to.items.clear(); }, {"/to"}, errc::field_missing},
        {"neither text nor html", [](auto& s) { s.text.reset(); }, {"/text"}, errc::field_missing},
        {"Bcc as custom field",
         [](auto& s) { s.headers = {{"bCC", "a@x"}}; },
         {"/headers/bCC"},
         errc::header_invalid},
        {"Content-Type as custom field",
         [](auto& s) { s.headers = {{"Content-Type", "a"}}; },
         {"/headers/Content-Type"},
         errc::header_invalid},
        {"a name with a slash",
         [](auto& s) { s.headers = {{"Date/~", "\n"}}; },
         {"/headers/Date~1~0"},
         errc::control_character},
        {"an empty custom value",
         [](auto& s) { s.headers = {{"X-A", " "}}; },
         {"/headers/X-A"},
         errc::header_invalid},
        {"a word no line can hold",
         [](auto& s) { s.headers = {{"X-A", std::string(1000, 'a')}}; },
         {"/headers/X-A"},
         errc::header_invalid},
        {"a header above 64 KiB",
         [](auto& s) {
             for (int i = 0; i < 9; ++i)
                 s.headers.emplace_back(
                     "X-" + std::to_string(i),
                     std::string(500, 'a') + " " +
                         [] {
                             std::string v;
                             for (int j = 0; j < 9000; ++j)
                                 v += j % 50 == 0 ? ' ' : 'b';
                             return v;
                         }()
                 );
         },
         {""},
         errc::too_large},
        {"base64 that is none",
         [](auto& s) { s.attachments = {{"a", "", "***", ""}}; },
         {"/attachments/0/content"},
         errc::base64_invalid},
        {"a multipart attachment",
         [](auto& s) { s.attachments = {{"a", "multipart/mixed", "", ""}}; },
         {"/attachments/0/content_type"},
         errc::header_invalid},
        {"51 attachments", [](auto& s) { s.attachments.resize(51); }, {"/attachments"}, errc::too_many_items},
        {"101 recipients",
         [](auto& s) {
             s.to.items.assign(50, "a@x");
             s.cc.items.assign(51, "b@x");
         },
         {"/cc"},
         errc::too_many_recipients},
        {"a wrong time", [](auto& s) { s.send_at = "tomorrow"; }, {"/send_at"}, errc::time_invalid},
        {"expiry before sending",
         [](auto& s) { s.expires_at = "2026-05-01T11:00:00Z"; },
         {"/expires_at"},
         errc::time_invalid},
        {"a priority of its own", [](auto& s) { s.priority = "urgent"; }, {"/priority"}, errc::field_type},
        {"a long key", [](auto& s) { s.key = std::string(256, 'k'); }, {"/key"}, errc::too_large},
        {"large metadata",
         [](auto& s) { s.metadata = std::string(4097, ' '); },
         {"/metadata"},
         errc::too_large},
        {"raw and text",
         [](auto& s) {
             s = {};
             s.raw = base64_encode("A: b\n\nc");
             s.text = "x";
             s.envelope = envelope_fields{"", {{"a@x"}}};
         },
         {"/text"},
         errc::field_conflict},
        {"raw without envelope",
         [](auto& s) {
             s = {};
             s.raw = base64_encode("A: b\n\nc");
         },
         {"/envelope/from", "/envelope/to"},
         errc::field_missing},
        {"raw with NUL",
         [](auto& s) {
             s = {};
             s.raw_bytes = "A: b\n\nc\0"s;
             s.envelope = envelope_fields{"", {{"a@x"}}};
         },
         {""},
         errc::control_character},
        {"raw that is no base64",
         [](auto& s) {
             s = {};
             s.raw = "!";
             s.envelope = envelope_fields{"", {{"a@x"}}};
         },
         {"/raw"},
         errc::base64_invalid},
        {"raw with a long header line",
         [](auto& s) {
             s = {};
             s.raw_bytes = "A: " + std::string(1000, 'b') + "\n\nc";
             s.envelope = envelope_fields{"", {{"a@x"}}};
         },
         {""},
         errc::header_invalid},
    };
    return cases;
}

TEST(Compose, names_the_field_that_is_wrong) {
    for (const auto& c : refusals()) {
        auto s = badge();
        c.change(s);
        const auto r = compose(s, options());
        EXPECT_EQ(pointers(r), c.at) << c.what;
        if (r.has_error() && !r.error().empty()) {
            EXPECT_EQ(r.error().front().code, c.why) << c.what << ": " << r.error().front().detail;
            EXPECT_FALSE(r.error().front().detail.empty()) << c.what;
        }
    }
}

TEST(Compose, tells_every_fault_at_once) {
    auto s = badge();
    s.from = "nobody";
    s.to.items = {"a@x", "b"};
    s.subject = "\n";
    s.send_at = "x";
    s.headers = {{"Date", "now"}};
    EXPECT_THAT(
        pointers(compose(s, options())),
        ElementsAre("/to/1", "/send_at", "/from", "/subject", "/headers/Date")
    );
}

}  // namespace
}  // namespace estafette::mail
