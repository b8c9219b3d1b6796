// In steady state the protocol allocates nothing: not for a message, a reply, a command, a body.
#include "allocations.hpp"

#include "estafette/smtp/body.hpp"
#include "estafette/smtp/command.hpp"
#include "estafette/smtp/reply.hpp"
#include "estafette/smtp/session.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

using namespace estafette;

namespace {

constexpr int warm_up = 20;
constexpr int measured = 200;

template <class Step> std::uint64_t allocations_of(Step step) {
    for (int i = 0; i < warm_up; ++i) {
        step();
    }
    const auto before = counted::allocations();
    for (int i = 0; i < measured; ++i) {
        step();
    }
    return counted::allocations() - before;
}

std::string body_of(std::string_view line) {
    std::string body = "From: a@x.example\r\nSubject: s\r\n\r\n";
    while (body.size() < 4096) {
        body.append(line).append("\r\n");
    }
    return body;
}

enum class mode : std::uint8_t { lockstep, pipelining, across_messages, chunking };

// Messages through one session; the server in it says yes to everything.
class dialogue {
public:
    explicit dialogue(mode how)
        : session_{options_of(how)} {
        message_.id = message_id{message_id::bytes_type{1}};
        message_.from = mail::address::parse("bounces@vendor.example").value();
        message_.to.push_back(mail::address::parse("somebody@customer.example").value());
        message_.body = std::make_shared<const std::string>(body_of("a line of a mail"));
        message_.facts.size = message_.body->size();
        act_ = session_.on_connected();
        act_ = session_.on_bytes("220 relay.example ESMTP\r\n");
    }

    // One message from begin() to its outcome; false: it was not accepted.
    bool carry_one() {
        const smtp::transaction_view view{&message_, recipients_, &*message_.from, &dsn_};
        for (;;) {
            switch (act_.what) {
            case smtp::todo::write:
                if (const std::size_t n = session_.fill(buffer_)) {
                    answer({buffer_.data(), n});
                } else {
                    act_ = session_.on_written();
                }
                break;
            case smtp::todo::read:
                act_ = session_.on_bytes(answers_);
                answers_.clear();
                break;
            case smtp::todo::ready:
                act_ = session_.begin(view);
                session_.offer_next(view);
                break;
            case smtp::todo::done:
                outcome_ = session_.take_outcome(std::move(outcome_));
                act_ = session_.current();
                return outcome_.size() == 1 && outcome_.front().what.is_accepted();
            case smtp::todo::start_tls:
            case smtp::todo::close: return false;
            }
        }
    }

private:
    static smtp::session_options options_of(mode how) {
        smtp::session_options o;
        o.helo = "mail.vendor.example";
        o.starttls = smtp::starttls_use::never;
        o.pipelining = how != mode::lockstep;
        o.across_messages = how == mode::across_messages;
        o.chunking = how == mode::chunking;
        return o;
    }

    void answer(std::string_view written) {
        for (std::size_t at = 0; at < written.size();) {
            const std::size_t end = written.find("\r\n", at) + 2;
            const std::string_view line = written.substr(at, end - at);
            at = end;
            if (in_content_) {
                in_content_ = line != ".\r\n";
                answers_ += in_content_ ? "" : "250 2.0.0 Ok: queued as 4XyZ3k1Qv7z9W\r\n";
            } else if (line.starts_with("EHLO")) {
                answers_ += "250-relay.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-DSN\r\n"
                            "250 SIZE 20480000\r\n";
            } else if (line.starts_with("BDAT")) {
                at += message_.body->size();
                answers_ += "250 2.0.0 Ok: queued as 4XyZ3k1Qv7z9W\r\n";
            } else if (line == "DATA\r\n") {
                in_content_ = true;
                answers_ += "354 End data with <CR><LF>.<CR><LF>\r\n";
            } else {
                answers_ += "250 2.1.5 Recipient address ok, thank you\r\n";
            }
        }
    }

    mail::message message_;
    std::vector<std::uint32_t> recipients_{0};
    smtp::dsn_request dsn_{
        smtp::dsn_request::content::headers, "019426b6-0000-7000-8000-000000000001", 0, true
    };
    smtp::session session_;
    smtp::action act_;
    std::array<char, 16 * 1024> buffer_{};
    std::string answers_;
    bool in_content_ = false;
    std::vector<smtp::recipient_outcome> outcome_;
};

class Session : public testing::TestWithParam<mode> {};

TEST_P(Session, AllocatesNothingForAMessage) {
    dialogue d{GetParam()};
    bool all_accepted = true;
    EXPECT_EQ(allocations_of([&] { all_accepted = d.carry_one() && all_accepted; }), 0u);
    EXPECT_TRUE(all_accepted);
}

INSTANTIATE_TEST_SUITE_P(
    EveryMode,
    Session,
    testing::Values(mode::lockstep, mode::pipelining, mode::across_messages, mode::chunking)
);

TEST(Replies, AreReadWithoutAllocation) {
    constexpr std::string_view bytes = "250 2.0.0 Ok: queued as 4XyZ3k1Qv7z9W\r\n250-2.1.0 Sender and\r\n"
                                       "250 2.1.0 domain are ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n";
    smtp::reply_parser parser;
    int codes = 0;
    const auto read_all = [&] {
        for (std::string_view rest = bytes; !rest.empty();) {
            rest.remove_prefix(parser.feed(rest).value());
            codes += parser.whole().code;
            parser.release();
        }
    };
    EXPECT_EQ(allocations_of(read_all), 0u);
    EXPECT_EQ(codes, (250 + 250 + 354) * (warm_up + measured));
}

TEST(Bodies, AreHandedOutWithoutAllocation) {
    const std::string plain = body_of("a line of a mail"), dotted = body_of(".a line that begins with a dot");
    std::vector<char> buffer(16 * 1024);
    std::size_t bytes = 0;
    const auto hand_out = [&](const std::string& blob, smtp::stuffing how) {
        smtp::body_cursor cursor{blob, how};
        while (const std::size_t n = cursor.fill(buffer)) {
            bytes += n;
        }
    };
    EXPECT_EQ(allocations_of([&] { hand_out(plain, smtp::stuffing::none); }), 0u);
    EXPECT_EQ(bytes, plain.size() * (warm_up + measured));
    EXPECT_EQ(allocations_of([&] { hand_out(dotted, smtp::stuffing::dots); }), 0u);
}

TEST(Commands, AreWrittenWithoutAllocation) {
    const auto from = mail::address::parse("bounces@vendor.example").value();
    const auto to = mail::address::parse("somebody+a=b@customer.example").value();
    const smtp::dsn_request dsn{
        smtp::dsn_request::content::headers, "an envelope id that is not short", 0, true
    };
    std::string wire, shown;
    const auto write = [&] {
        wire.clear();
        shown.clear();
        smtp::command_writer writer{wire, shown};
        writer.mail(&from, {.size = 4096, .eightbitmime = true, .dsn = &dsn});
        writer.rcpt(to, &dsn);
        writer.data();
        writer.bdat_last(4096);
    };
    EXPECT_EQ(allocations_of(write), 0u);
    EXPECT_NE(wire.find("ENVID=an+20envelope"), std::string::npos) << wire;
}

}  // namespace
