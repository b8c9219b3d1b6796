// Plays tests/dialogs/*.smtp through drive() over an in-memory stream: as written, and with a failure at
// every single reading and writing. (The machine alone is played in tests/unit/smtp.)
#include "net_fixture.hpp"
#include "support/dialog.hpp"

#include "estafette/net/drive.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/_experimental/test/fail_count.hpp>
#include <boost/beast/_experimental/test/stream.hpp>

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <map>
#include <utility>

using namespace estafette;
namespace asio = boost::asio;
namespace beast = boost::beast;
using test::dialog;
using test::dialog_event;

namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max() / 2;

struct played {
    std::map<std::pair<std::size_t, std::string>, smtp::recipient_outcome> recipients;
    bool broke = false;  // the injected failure happened
    bool usable = false;
    smtp::outcome failure;
    smtp::misbehaviour misbehaved = smtp::misbehaviour::none;
    std::string received;    // by the server
    std::string unexpected;  // what the script did not foresee
};

class player {
public:
    player(const dialog& d, std::size_t fail_at)
        : dialog_{d}
        , fails_{fail_at, beast::test::error::test_failure}
        , client_{loop_, fails_}
        , server_{loop_}
        , machine_{d.options} {
        client_.connect(server_);
    }

    played play() {
        auto owner = testing_net::start(loop_, own());
        client_task_ = owner.get();
        auto script = testing_net::start(loop_, serve());
        testing_net::finish(loop_, *owner);
        client_.close();
        testing_net::finish(loop_, *script);
        result_.usable = machine_.is_usable();
        result_.failure = machine_.failure();
        result_.misbehaved = machine_.misbehaved();
        if (result_.unexpected.empty() && !kept_.empty())
            result_.unexpected = "the client also sent: " + kept_;
        return std::move(result_);
    }

private:
    asio::awaitable<void> breathe() {  // everything that is ready runs
        for (int i = 0; i < 8; ++i)
            co_await asio::post(loop_, asio::use_awaitable);
    }

    // ---- the owner of the machine, as connection is

    asio::awaitable<bool> own() {
        auto act = dialog_.tls_from_start ? machine_.on_connected(dialog_.tls) : machine_.on_connected();
        for (;;) {
            act = co_await net::drive(client_, machine_, act, with_);
            note_failure(with_.detail);
            switch (act.what) {
            case smtp::todo::write:
            case smtp::todo::read: co_return false;
            case smtp::todo::start_tls: act = co_await shake_hands(); break;
            case smtp::todo::done: act = take(); break;
            case smtp::todo::ready:
                was_ready_ = true;
                if (begun_ < dialog_.messages.size())
                    act = begin();
                else if (!co_await idle(act))
                    co_return true;
                break;
            case smtp::todo::close:
                if (was_ready_ && begun_ < dialog_.messages.size())
                    act = begin();
                else if (!co_await wait_for_quit(act))
                    co_return true;
                break;
            }
        }
    }

    void note_failure(const std::string& detail) {
        const error_code injected = beast::test::error::test_failure;
        result_.broke = result_.broke || detail == injected.message();
    }

    asio::awaitable<smtp::action> shake_hands() {
        while (!tls_ready_ && !dropped_ && !script_ended_)
            co_await breathe();
        if (std::exchange(tls_ready_, false))
            co_return machine_.on_tls(dialog_.tls);
        co_return machine_.on_broken(make_error_code(errc::connection_closed));
    }

    smtp::action begin() {
        const auto act = machine_.begin(dialog_.messages[begun_].view());
        ++begun_;
        if (begun_ < dialog_.messages.size() && act.what != smtp::todo::done)
            machine_.offer_next(dialog_.messages[begun_].view());
        return act;
    }

    smtp::action take() {
        const auto& m = dialog_.messages[taken_];
        for (const auto& one : machine_.take_outcome())
            result_.recipients[{taken_, m.message->to[one.index].text()}] = one;
        ++taken_;
        return machine_.current();
    }

    // Between mails: the server may speak or go, the owner may say quit. False when the script has ended.
    asio::awaitable<bool> idle(smtp::action& act) {
        for (;;) {
            if (client_.buffer().size() != 0) {
                auto [ec, n] = co_await client_.async_read_some(asio::buffer(buffer_), net::use_tuple);
                note_failure(ec.message());
                act = ec ? machine_.on_broken(make_error_code(errc::connection_closed))
                         : machine_.on_bytes({buffer_.data(), n});
                co_return true;
            }
            if (dropped_) {
                act = machine_.on_broken(make_error_code(errc::connection_closed));
                co_return true;
            }
            if (std::exchange(quit_asked_, false)) {
                act = machine_.quit();
                co_return true;
            }
            if (script_ended_)
                co_return false;
            co_await breathe();
        }
    }

    asio::awaitable<bool> wait_for_quit(smtp::action& act) {
        while (!quit_asked_ && !script_ended_ && !result_.broke)
            co_await breathe();
        if (!std::exchange(quit_asked_, false))
            co_return false;
        act = machine_.quit();
        co_return true;
    }

    // ---- the server, as the script says

    asio::awaitable<bool> serve() {
        for (const auto& step : dialog_.steps) {
            const bool goes_on = co_await perform(step);
            if (!goes_on)
                break;
        }
        script_ended_ = true;
        std::string rest(1, '\0');
        while (co_await hear(kept_.size() + 1)) {
        }
        co_return true;
    }

    // Reads until `size` bytes are there.
    asio::awaitable<bool> hear(std::size_t size) {
        while (kept_.size() < size) {
            std::array<char, 4096> bytes{};
            auto [ec, n] = co_await server_.async_read_some(asio::buffer(bytes), net::use_tuple);
            kept_.append(bytes.data(), n);
            result_.received.append(bytes.data(), n);
            if (ec)
                co_return false;
        }
        co_return true;
    }

    asio::awaitable<bool> perform(const test::dialog_step& step) {
        switch (step.what) {
        case dialog_event::server:
        case dialog_event::server_at_once:
        case dialog_event::server_early: co_return co_await say(step.text);
        case dialog_event::client: co_return co_await expect(step);
        case dialog_event::pause: co_await breathe(); co_return true;
        case dialog_event::tls: tls_ready_ = true; co_return true;
        case dialog_event::drop:
            co_await breathe();
            dropped_ = true;
            server_.close();
            co_return true;
        case dialog_event::timeout:
            co_await breathe();
            dropped_ = true;
            limit_.start_total(milliseconds{0});
            co_return true;
        case dialog_event::interrupt:
            co_await breathe();
            client_task_->cancel.emit(asio::cancellation_type::terminal);
            server_.close();
            co_return true;
        case dialog_event::quit:
            co_await breathe();
            quit_asked_ = true;
            co_return true;
        }
        co_return false;
    }

    asio::awaitable<bool> say(const std::string& text) {
        auto [ec, n] = co_await asio::async_write(server_, asio::buffer(text), net::use_tuple);
        co_return !ec;
    }

    asio::awaitable<bool> expect(const test::dialog_step& step) {
        const bool is_there = co_await hear(step.text.size());
        if (is_there && kept_.starts_with(step.text)) {
            kept_.erase(0, step.text.size());
            co_return true;
        }
        result_.unexpected = dialog_.name + ".smtp:" + std::to_string(step.line) + ": expected " + step.text +
                             "the client sent: " + kept_.substr(0, 200);
        server_.close();
        co_return false;
    }

    const dialog& dialog_;
    asio::io_context loop_;
    beast::test::fail_count fails_;
    beast::test::stream client_, server_;
    smtp::session machine_;
    smtp::phase_timeouts limits_;
    net::deadline limit_{loop_.get_executor(), [this] { server_.close(); }};
    std::array<char, net::piece_size> buffer_{};
    net::driving with_{limit_, limits_, buffer_};
    testing_net::task<bool>* client_task_ = nullptr;
    std::string kept_;  // received and not yet expected
    std::size_t begun_ = 0, taken_ = 0;
    bool was_ready_ = false, dropped_ = false, tls_ready_ = false, quit_asked_ = false, script_ended_ = false;
    played result_;
};

void compare(const dialog& d, const played& got) {
    EXPECT_EQ(got.unexpected, "");
    for (const auto& e : d.recipients) {
        SCOPED_TRACE(d.name + ".smtp:" + std::to_string(e.line));
        const auto found = got.recipients.find({e.message, e.address});
        ASSERT_NE(found, got.recipients.end()) << e.address << " has no outcome";
        const auto& o = found->second;
        EXPECT_EQ(o.tried, e.tried);
        if (!e.tried)
            continue;
        EXPECT_EQ(label(o.what.at), label(e.at));
        EXPECT_EQ(o.what.answer ? o.what.answer->code : 0, e.code);
        EXPECT_EQ(test::error_name(o.what.error), e.error);
        EXPECT_EQ(o.what.dot_sent && (o.what.error || !o.what.answer), e.uncertain);
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

// The connection keeps one message in flight, does not read while it writes, and says QUIT only when
// nothing is awaited: dialogues that need otherwise are played by the machine's own runner only.
bool is_playable(const dialog& d) {
    for (std::size_t i = 0; i < d.steps.size(); ++i) {
        const auto what = d.steps[i].what;
        const bool is_awaited = i > 0 && d.steps[i - 1].what == dialog_event::client;
        if (what == dialog_event::server_early || (what == dialog_event::quit && is_awaited))
            return false;
    }
    return d.options.window <= 1;
}

std::vector<dialog> playable() {
    auto all = test::read_dialogs(ESTAFETTE_SOURCE_DIR "/tests/dialogs");
    std::erase_if(all, [](const dialog& d) { return !is_playable(d); });
    return all;
}

std::size_t count(const std::string& in, const std::string& what) {
    std::size_t n = 0;
    for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + what.size()))
        ++n;
    return n;
}

// Message `index` with its final dot came over the wire whole, by DATA or by BDAT. (Messages of one
// dialogue may have the same content.)
bool has_arrived(const dialog& d, const played& p, std::size_t index) {
    const auto content = d.messages[index].stuffed();
    std::size_t before = 0;
    for (std::size_t i = 0; i < index; ++i)
        before += d.messages[i].stuffed() == content ? 1 : 0;
    return count(p.received, content + ".\r\n") > before ||
           count(p.received, "LAST\r\n" + *d.messages[index].message->body) > before;
}

class StreamDialogs : public testing::TestWithParam<dialog> {};

}  // namespace

TEST_P(StreamDialogs, EndAsWritten) {
    compare(GetParam(), player{GetParam(), never}.play());
}

TEST_P(StreamDialogs, SurviveAFailureAtEveryReadingAndWriting) {
    const auto& d = GetParam();
    const auto whole = player{d, never}.play();
    for (std::size_t n = 1;; ++n) {
        SCOPED_TRACE("failure at operation " + std::to_string(n));
        ASSERT_LT(n, 2000u);
        const auto cut = player{d, n}.play();
        if (!cut.broke) {
            // Only where we would say something forbidden is there nothing to break.
            EXPECT_TRUE(n > 1 || d.failure_error == "domain_invalid");
            break;
        }
        EXPECT_FALSE(cut.usable);
        for (const auto& [who, one] : cut.recipients) {
            const auto same = whole.recipients.find(who);
            ASSERT_NE(same, whole.recipients.end());
            const bool arrived = has_arrived(d, cut, who.first);
            if (one.what.is_accepted()) {
                EXPECT_TRUE(same->second.what.is_accepted()) << who.second << " is accepted by the failure";
                EXPECT_TRUE(arrived) << who.second << " is accepted before its dot";
            }
            // What the server may have taken is never called untried or free of doubt.
            if (arrived && same->second.what.is_accepted()) {
                EXPECT_TRUE(one.tried);
                EXPECT_TRUE(one.what.dot_sent) << who.second;
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    All,
    StreamDialogs,
    testing::ValuesIn(playable()),
    [](const testing::TestParamInfo<dialog>& info) { return info.param.name; }
);
