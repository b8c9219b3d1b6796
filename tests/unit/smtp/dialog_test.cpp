// Plays tests/dialogs/*.smtp against the machine without any I/O: as written, with the server's bytes
// one at a time, with tiny write buffers, and with a failure at every single step.
#include "support/dialog.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <stdexcept>

namespace estafette::smtp {
namespace {

using test::dialog;
using test::dialog_event;
using test::dialog_step;

struct way_of_playing {
    std::size_t server_piece = 1 << 20;  // bytes given to the machine at once
    std::size_t buffer = 16 * 1024;      // bytes written at once
    int fail_at = -1;                    // the n-th action is answered by a broken connection
};

// What became of everything, comparable.
struct played {
    std::map<std::pair<std::size_t, std::string>, recipient_outcome> recipients;
    bool broke = false;  // the injected failure happened
    bool usable = false;
    outcome failure;
    misbehaviour misbehaved = misbehaviour::none;
    std::string transcript;
    std::set<std::size_t> dots;  // messages whose content and dot were given out
};

class player {
public:
    player(const dialog& d, way_of_playing how)
        : dialog_{d}
        , how_{how}
        , session_{d.options} {}

    played play() {
        now_ = dialog_.tls_from_start ? session_.on_connected(dialog_.tls) : session_.on_connected();
        for (std::size_t i = 0; i < dialog_.steps.size() && !result_.broke; ++i) {
            const dialog_step& step = dialog_.steps[i];
            where_ = dialog_.name + ".smtp:" + std::to_string(step.line);
            next_is_early_ = step.what == dialog_event::server_early;
            pump();
            perform(step);
        }
        next_is_early_ = false;
        while (!server_.empty() && !result_.broke) {
            give_server_bytes();
            pump();
        }
        pump();
        if (!result_.broke && !written_.empty()) {
            fail("the client also sent: " + written_);
        }
        result_.usable = session_.is_usable();
        result_.failure = session_.failure();
        result_.misbehaved = session_.misbehaved();
        return std::move(result_);
    }

private:
    [[noreturn]] void fail(const std::string& what) const { throw std::runtime_error{where_ + ": " + what}; }

    // A run with an injected failure leaves the script, so only the others are held to it.
    bool breaks_here() {
        if (how_.fail_at < 0 || steps_taken_++ != how_.fail_at) {
            return false;
        }
        result_.broke = true;
        now_ = session_.on_broken(errc::connection_closed);
        return true;
    }

    // Performs what the machine wants until it wants something from the server.
    void pump() {
        for (int rounds = 0; rounds < 10'000; ++rounds) {
            switch (now_.what) {
            case todo::write:
                if (next_is_early_) {
                    return;
                }
                if (!breaks_here()) {
                    write();
                }
                break;
            case todo::read:
                if (session_.has_room() && begun_ < dialog_.messages.size()) {
                    begin();  // with a window, before the first answer
                } else if (server_.empty()) {
                    return;
                } else {
                    give_server_bytes();
                }
                break;
            case todo::ready:
                if (begun_ == dialog_.messages.size() || has_quit_) {
                    return;
                }
                begin();
                break;
            case todo::done: take(); break;
            case todo::start_tls:
                // What the server sent beyond its 220 is in our hands already.
                if (server_.empty()) {
                    return;
                }
                give_server_bytes();
                break;
            case todo::close:
                if (begun_ < dialog_.messages.size() && was_ready_) {
                    begin();  // must be answered at once, by "untried"
                    break;
                }
                return;
            }
        }
        fail("the machine does not come to rest");
    }

    void write() {
        std::string buffer(how_.buffer, '\0');
        for (std::size_t n = session_.fill(buffer); n != 0; n = session_.fill(buffer)) {
            written_.append(buffer, 0, n);
        }
        now_ = session_.on_written();
    }

    void begin() {
        was_ready_ = true;
        now_ = session_.begin(dialog_.messages[begun_].view());
        ++begun_;
        if (begun_ < dialog_.messages.size()) {
            session_.offer_next(dialog_.messages[begun_].view());
        }
    }

    void take() {
        const auto& m = dialog_.messages[taken_];
        const auto all = session_.take_outcome();
        if (all.size() != m.recipients.size()) {
            fail("not one outcome per recipient");
        }
        for (const recipient_outcome& one : all) {
            result_.recipients[{taken_, m.message->to[one.index].text()}] = one;
        }
        result_.transcript = session_.transcript();
        ++taken_;
        now_ = session_.current();
    }

    void give_server_bytes() {
        if (server_.empty() || breaks_here()) {
            return;
        }
        arrival& next = server_.front();
        const std::string piece = next.text.substr(0, next.is_whole ? std::string::npos : how_.server_piece);
        next.text.erase(0, piece.size());
        if (next.text.empty()) {
            server_.pop_front();
        }
        now_ = session_.on_bytes(piece);
    }

    void server_says(const dialog_step& step) {
        if (!written_.empty()) {
            fail("the client sent, out of turn: " + written_);
        }
        if (step.what == dialog_event::server_at_once || server_.empty() || server_.back().is_whole) {
            server_.push_back({{}, step.what == dialog_event::server_at_once});
        }
        server_.back().text += step.text;
    }

    void perform(const dialog_step& step) {
        if (step.what != dialog_event::server && step.what != dialog_event::server_at_once) {
            while (!server_.empty() && !result_.broke) {
                give_server_bytes();
                pump();
            }
        }
        if (result_.broke) {
            return;
        }
        switch (step.what) {
        case dialog_event::server:
        case dialog_event::server_at_once: server_says(step); break;
        case dialog_event::server_early: now_ = session_.on_bytes(step.text); break;
        case dialog_event::client:
            if (!written_.starts_with(step.text)) {
                fail("expected: " + step.text + "the client sent: " + written_);
            }
            written_.erase(0, step.text.size());
            break;
        case dialog_event::tls:
            if (now_.what != todo::start_tls) {
                fail("the machine does not want TLS now");
            }
            now_ = session_.on_tls(dialog_.tls);
            break;
        case dialog_event::drop: now_ = session_.on_broken(errc::connection_closed); break;
        case dialog_event::timeout: now_ = session_.on_broken(errc::timeout); break;
        case dialog_event::interrupt: now_ = session_.on_broken(errc::interrupted); break;
        case dialog_event::quit:
            has_quit_ = true;
            now_ = session_.quit();
            break;
        case dialog_event::pause: break;
        }
    }

    const dialog& dialog_;
    way_of_playing how_;
    session session_;
    action now_;
    struct arrival {
        std::string text;
        bool is_whole = false;
    };

    std::deque<arrival> server_;  // bytes that the machine has not been given yet
    std::string written_;         // bytes that the script has not expected yet
    std::string where_;
    std::size_t begun_ = 0, taken_ = 0;
    int steps_taken_ = 0;
    bool was_ready_ = false, has_quit_ = false, next_is_early_ = false;
    played result_;
};

void compare(const dialog& d, const played& got) {
    for (const test::expected_recipient& e : d.recipients) {
        SCOPED_TRACE(d.name + ".smtp:" + std::to_string(e.line));
        const auto found = got.recipients.find({e.message, e.address});
        ASSERT_NE(found, got.recipients.end()) << e.address << " has no outcome";
        const recipient_outcome& o = found->second;
        EXPECT_EQ(o.tried, e.tried);
        if (e.tried) {
            EXPECT_EQ(label(o.what.at), label(e.at));
            EXPECT_EQ(o.what.answer ? o.what.answer->code : 0, e.code);
            EXPECT_EQ(test::error_name(o.what.error), e.error);
            EXPECT_EQ(o.what.dot_sent && (o.what.error || !o.what.answer), e.uncertain);
        }
    }
    if (d.usable) {
        EXPECT_EQ(got.usable, *d.usable);
    }
    if (d.failed_at) {
        EXPECT_EQ(label(got.failure.at), label(*d.failed_at));
        EXPECT_EQ(got.failure.answer ? got.failure.answer->code : 0, d.failure_code);
        EXPECT_EQ(test::error_name(got.failure.error), d.failure_error);
    }
    EXPECT_EQ(to_text(got.misbehaved), to_text(d.misbehaved));
}

class dialogs : public testing::TestWithParam<dialog> {};

TEST_P(dialogs, ends_as_written) {
    try {
        compare(GetParam(), player{GetParam(), {}}.play());
    } catch (const std::runtime_error& e) {
        FAIL() << e.what();
    }
}

TEST_P(dialogs, ends_the_same_whatever_the_pieces) {
    try {
        compare(GetParam(), player{GetParam(), {.server_piece = 1, .buffer = 16 * 1024}}.play());
        compare(GetParam(), player{GetParam(), {.server_piece = 1 << 20, .buffer = 1}}.play());
        compare(GetParam(), player{GetParam(), {.server_piece = 7, .buffer = 11}}.play());
    } catch (const std::runtime_error& e) {
        FAIL() << e.what();
    }
}

TEST_P(dialogs, survives_a_failure_at_every_step) {
    const dialog& d = GetParam();
    const played whole = player{d, {}}.play();
    for (int n = 0;; ++n) {
        SCOPED_TRACE("failure at step " + std::to_string(n));
        const played cut = player{d, {.fail_at = n}}.play();
        if (!cut.broke) {
            break;
        }
        EXPECT_FALSE(cut.usable);
        for (const auto& [who, one] : cut.recipients) {
            if (one.what.is_accepted()) {
                const auto same = whole.recipients.find(who);
                ASSERT_NE(same, whole.recipients.end());
                EXPECT_TRUE(same->second.what.is_accepted()) << who.second << " accepted only by the failure";
            }
            if (one.tried && one.what.dot_sent) {
                EXPECT_EQ(label(one.what.at), "dot");
            }
        }
        ASSERT_LT(n, 5000);
    }
}

INSTANTIATE_TEST_SUITE_P(
    all,
    dialogs,
    testing::ValuesIn(test::read_dialogs(ESTAFETTE_SOURCE_DIR "/tests/dialogs")),
    [](const testing::TestParamInfo<dialog>& info) { return info.param.name; }
);

}  // namespace
}  // namespace estafette::smtp
