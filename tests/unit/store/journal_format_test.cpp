#include "estafette/mail/address.hpp"
#include "estafette/store/journal_format.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace estafette::store {
namespace {

constexpr std::uint64_t salt = 0x0123456789abcdef;
const segment_header header{7, 41, salt};

message_id id_of(std::uint8_t n) {
    return message_id{message_id::bytes_type{n}};
}

change mail(std::uint8_t n, std::string body) {
    auto m = std::make_shared<mail::message>();
    m->id = id_of(n);
    m->tenant = tenant_id{"acme"};
    m->from = mail::address::parse("a@vendor.example").value();
    m->to = {mail::address::parse("b@x.example").value(), mail::address::parse("c@x.example").value()};
    m->facts = {body.size(), 12, true, false, true};
    m->body = std::make_shared<const std::string>(std::move(body));
    m->subject = "é";
    m->header_message_id = "<1@x>";
    m->accepted_at = from_unix_ms(1);
    m->due_at = from_unix_ms(-2);
    m->expires_at = from_unix_ms(3);
    m->precedence = mail::priority::bulk;
    m->category = "c";
    m->group = "g";
    m->key = "k";
    m->tags = {"t", ""};
    m->metadata = "{}";
    m->require_tls = true;
    m->reports = {mail::dsn_request::content::headers, "envelope\n1", mail::dsn_request::never, false};
    return enqueued{std::move(m), "key", std::string("\0digest", 7), true};
}

attempt some_attempt() {
    attempt a;
    a.number = 3;
    a.started_at = from_unix_ms(5);
    a.duration = milliseconds{6};
    a.route = route_id{"relay"};
    a.server = "h:25";
    a.tls = "TLS";
    a.at = smtp::phase::dot;
    a.judged = {
        verdict::disposition::uncertain,
        verdict::scope::route,
        verdict::reason::timeout,
        seconds{9},
        false,
        "r"
    };
    a.code = 450;
    a.enhanced = smtp::enhanced_code{4, 7, 1};
    a.text = "text";
    return a;
}

action some_action() {
    const wall_time t = from_unix_ms(123456789);
    action a{17, t, "by", action_verb::hold, {}, "why", t, t, 3, t, "expiry", 0, 0};
    a.whom = {
        {"id"},
        "acme",
        "relay",
        "x.example",
        "",
        verdict::reason::greylisted,
        state::held,
        t,
        t,
        std::vector{tenant_id{"acme"}},
        {}
    };
    return a;
}

std::vector<change> one_of_each() {
    const recipient_id who{id_of(1), 2};
    const wall_time t = from_unix_ms(123456789);
    const route_id relay{"relay"};
    const tenant_id acme{"acme"};
    return {
        mail(1, "Subject: x\r\n\r\nbody\r\n"),
        attempted{who, state::deferred, t, some_attempt()},
        attempted{who, state::relayed, std::nullopt, attempt{}},
        cancelled{who, t, "by", "why"},
        held{who, t, verdict::reason::suppressed, "by", "text"},
        released{who, t, "by"},
        expired{who, t},
        corrected{who, t, finding::failed, some_attempt().judged, "by", "text", "lines\nof it"},
        paused{pause_target::of(relay), t, std::nullopt, verdict::reason::auth_failed, "text", "by"},
        paused{pause_target::of(relay), t, t, verdict::reason::auth_failed, "", ""},
        resumed{pause_target::of(relay), t, "by"},
        paused{pause_target::of(acme), t, t, verdict::reason::other, "text", "by"},
        paused{pause_target::of(acme, "a@x.example"), t, {}, verdict::reason::sender_rejected, "", ""},
        resumed{pause_target::of(acme, ""), t, "by"},
        acted{some_action()},
        acted{action{1, t, "by", action_verb::remove, {}, {}, {}, {}, 0, {}, {}, 0, 0}},
        delayed{who, t},
        withheld{who, t, "text"},
        suppressed{tenant_id{"acme"}, "a@x", t, t, suppression_cause::complaint, "by", "text"},
        suppressed{tenant_id{"acme"}, "a@x", t, std::nullopt, suppression_cause::manual, "", ""},
        unsuppressed{tenant_id{"acme"}, "a@x", t, "by"},
        category_off{tenant_id{"acme"}, "reminders", t, std::nullopt, "by", "why"},
        category_off{tenant_id{"acme"}, "reminders", t, t, "", ""},
        category_on{tenant_id{"acme"}, "reminders", t, "by"},
        erased{who, t, "erased-1@erased.invalid", "by", "why"},
        answered{who.message, "key", "digest"},
    };
}

// A segment of these batches, with room behind them.
std::string segment_of(const std::vector<std::vector<change>>& batches, std::size_t room = 4096) {
    std::string bytes = encode_header(header);
    std::uint64_t sequence = header.first_sequence;
    for (const auto& batch : batches) {
        (void)encode_record(bytes, sequence++, salt, batch);
    }
    bytes.append(room, '\0');
    return bytes;
}

// What a reader finds of it: the number of good records.
std::size_t records_in(std::string_view segment) {
    segment_reader reader{segment, header};
    std::size_t count = 0;
    while (reader.next()) {
        ++count;
    }
    return count;
}

TEST(a_segment_header, comes_back_as_it_was) {
    const std::string bytes = encode_header(header);
    EXPECT_EQ(bytes.size(), segment_header::size);
    EXPECT_EQ(decode_header(bytes).value(), header);
}

TEST(a_segment_header, is_refused_when_any_bit_of_it_changed) {
    const std::string good = encode_header(header);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_TRUE(decode_header(bad).has_error()) << bit;
    }
    for (std::size_t length = 0; length < good.size(); ++length) {
        EXPECT_EQ(decode_header(good.substr(0, length)).error(), errc::store_damaged);
    }
}

TEST(a_record, brings_back_every_kind_of_change) {
    const auto batch = one_of_each();
    const std::string segment = segment_of({batch});
    segment_reader reader{segment, header};
    const auto record = reader.next();
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->sequence, 41u);
    const auto changes = decode_record(*record);
    ASSERT_TRUE(changes.has_value());
    ASSERT_EQ(changes->size(), batch.size());
    // Encoding what was decoded gives the same bytes: nothing was lost. The body is not decoded, it is
    // put back from its place.
    std::vector<change> again;
    for (const logged_change& c : *changes) {
        again.push_back(c.what);
    }
    const auto place = changes->front().body;
    ASSERT_TRUE(place.has_value());
    const auto head = decode_body_header(std::string_view{segment}.substr(*place)).value();
    const std::string body = segment.substr(*place + body_header::size, head.length);
    EXPECT_TRUE(fits(head, body));
    EXPECT_FALSE(fits(head, body + "x"));
    auto& mail = std::get<enqueued>(again.front()).message;
    mail::message with_body = *mail;
    with_body.body = std::make_shared<const std::string>(body);
    mail = std::make_shared<const mail::message>(with_body);
    EXPECT_EQ(segment_of({again}), segment);
}

TEST(a_segment, gives_its_records_in_order_and_ends_where_they_end) {
    const std::string segment = segment_of({one_of_each(), {}, one_of_each()});
    segment_reader reader{segment, header};
    for (std::uint64_t want = 41; want < 44; ++want) {
        EXPECT_EQ(reader.next()->sequence, want);
    }
    EXPECT_FALSE(reader.next().has_value());
    EXPECT_EQ(reader.next_sequence(), 44u);
    EXPECT_EQ(reader.offset(), segment.size() - 4096);
    EXPECT_EQ(reader.find_record_behind(), std::nullopt);
}

// The promise for a torn last write: everything before it is there, whatever part of it is.
TEST(a_segment, cut_at_every_byte_of_the_last_record_keeps_all_records_before_it) {
    const std::string whole = segment_of({one_of_each(), one_of_each()}, 0);
    const std::size_t first_end = segment_of({one_of_each()}, 0).size();
    for (std::size_t cut = first_end; cut < whole.size(); ++cut) {
        const std::string zeros_behind = whole.substr(0, cut) + std::string(whole.size() - cut + 512, '\0');
        for (const std::string& torn : {whole.substr(0, cut), zeros_behind}) {
            const std::size_t found = records_in(torn);
            // Zeros at the end of a record may be its own padding: then it is whole.
            EXPECT_TRUE(
                found == 1 || (found == 2 && torn.substr(0, whole.size()) == whole) || cut + 8 > whole.size()
            ) << cut;
            segment_reader reader{torn, header};
            while (reader.next()) {
            }
            EXPECT_EQ(reader.find_record_behind(), std::nullopt) << cut;
        }
    }
}

TEST(a_segment, with_any_bit_of_its_last_record_flipped_loses_that_record_and_no_other) {
    const std::string whole = segment_of({one_of_each(), {expired{{id_of(1), 0}, from_unix_ms(1)}}}, 64);
    const std::size_t begin = segment_of({one_of_each()}, 0).size();
    const std::size_t length = 24 + 1 + 20 + 8;
    for (std::size_t bit = begin * 8; bit < (begin + length) * 8; ++bit) {
        std::string bad = whole;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_EQ(records_in(bad), 1u) << bit;
    }
}

TEST(a_segment, damaged_before_its_end_shows_the_good_record_behind_the_damage) {
    const std::size_t first_end = segment_of({one_of_each()}, 0).size();
    const std::size_t second_end = segment_of({one_of_each(), one_of_each()}, 0).size();
    const std::string whole = segment_of({one_of_each(), one_of_each(), one_of_each()});
    for (std::size_t place = first_end; place < first_end + 200; ++place) {
        std::string bad = whole;
        bad[place] = static_cast<char>(~bad[place]);
        segment_reader reader{bad, header};
        EXPECT_TRUE(reader.next().has_value());
        EXPECT_FALSE(reader.next().has_value());
        EXPECT_EQ(reader.find_record_behind(), second_end);
    }
}

TEST(a_segment, takes_no_record_of_another_segment_or_out_of_sequence) {
    std::string bytes = encode_header(header);
    (void)encode_record(bytes, header.first_sequence, salt + 1, one_of_each());
    EXPECT_EQ(records_in(bytes), 0u) << "another salt";
    bytes = encode_header(header);
    (void)encode_record(bytes, header.first_sequence + 1, salt, one_of_each());
    EXPECT_EQ(records_in(bytes), 0u) << "a later sequence";
}

TEST(a_segment, does_not_take_a_mail_that_looks_like_a_record_for_one) {
    std::string forged;
    (void)encode_record(forged, header.first_sequence + 1, 0, one_of_each());
    std::string whole = segment_of({{mail(1, std::string(5, 'x') + forged)}}, 0);
    whole[segment_header::size + 30] ^= 1;
    segment_reader reader{whole, header};
    EXPECT_FALSE(reader.next().has_value());
    EXPECT_EQ(reader.find_record_behind(), std::nullopt);
}

TEST(a_segment, of_arbitrary_bytes_is_read_without_harm) {
    EXPECT_TRUE(rc::check([](const std::string& noise) {
        segment_reader reader{noise, header};
        RC_ASSERT(!reader.next().has_value());
        RC_ASSERT(!reader.find_record_behind().has_value());
        (void)decode_header(noise);
        const segment_record record{1, 0, noise, 1};
        (void)decode_record(record);
    }));
}

}  // namespace
}  // namespace estafette::store
