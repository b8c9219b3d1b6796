// Hostile and broken servers, played from tests/sink/scripts on real sockets: the right outcome, less
// than 1 MiB a connection, an end in good time.
#include "net_fixture.hpp"
#include "sink/scripted_server.hpp"
#include "support/dialog.hpp"
#include "world.hpp"

#include "estafette/base/text.hpp"
#include "estafette/net/connection.hpp"
#include "estafette/net/dns.hpp"
#include "estafette/net/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#if __has_feature(address_sanitizer)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

using namespace estafette;
using namespace std::chrono_literals;
using test::script;
namespace asio = boost::asio;

namespace {

std::size_t allocated_bytes() {
#if __has_feature(address_sanitizer)
    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
}

struct report {
    bool is_open = false, is_reusable = false;
    smtp::outcome opened;
    std::vector<std::vector<smtp::recipient_outcome>> mails;
    std::string transcript;
};

asio::awaitable<report> deliver_all(
    net::connection& c, config::endpoint server, const std::vector<net::transaction>& mails, bool across
) {
    report r;
    r.opened = co_await c.open(std::move(server));
    r.is_open = c.is_open();
    bool goes_on = r.is_open;
    for (std::size_t i = 0; goes_on && i < mails.size(); ++i) {
        const auto* next = across && i + 1 < mails.size() ? &mails[i + 1] : nullptr;
        auto d = co_await c.deliver(mails[i], next);
        r.mails.push_back(std::move(d.recipients));
        goes_on = r.is_reusable = d.is_reusable;
    }
    r.transcript = c.transcript();
    co_await c.quit();
    co_return r;
}

// "reply_malformed", "421", "421 reply_unexpected", "timeout uncertain", "untried"
std::string text_of(const smtp::outcome& o) {
    std::string text{label(o.at)};
    if (o.answer)
        text += ' ' + std::to_string(o.answer->code);
    if (o.error)
        text += ' ' + test::error_name(o.error);
    if (o.dot_sent && (o.error || !o.answer))
        text += " uncertain";
    return text;
}

std::string text_of(const smtp::recipient_outcome& r) {
    return r.tried ? text_of(r.what) : "untried";
}

class trial {
public:
    explicit trial(const script& s)
        : script_{s}
        , server_{loop_, s} {
        route_.mode = config::tls_mode::none;
        route_.policy = config::tls_policy::none;
        route_.allow_private = true;
        for (std::size_t i = 0; i < smtp::phase_count; ++i)
            route_.timeouts.set(static_cast<smtp::phase>(i), 20s);
        route_.timeouts.set(smtp::phase::quit, 200ms);
        for (const auto& word : s.route)
            set_route(word);
        for (const auto& word : s.limits)
            set_limit(word);
        for (std::uint8_t i = 0; i < mail_count_; ++i)
            mails_.push_back(make_mail(i));
    }

    report run() {
        auto& made = testing_net::world::get();
        certificate_ = made.trusted.issue({.names = {"IP:127.0.0.1"}}, made.key.get());
        SSL_CTX_use_certificate(server_.context.native_handle(), certificate_.get());
        SSL_CTX_use_PrivateKey(server_.context.native_handle(), made.key.get());
        route_.ca_file = made.ca_file;
        net::resolver dns{loop_.get_executor()};
        net::tls_context context{route_};
        net::connection c{loop_.get_executor(), route_, context, dns, "client.example", secret_};
        config::endpoint server{.host = "127.0.0.1", .port = server_.port()};

        const auto before = allocated_bytes();
        const auto began = std::chrono::steady_clock::now();
        const auto task = testing_net::start(loop_, deliver_all(c, server, mails_, across_));
        while (!task->value && loop_.run_one_for(20s) != 0)
            most_bytes_ = std::max(most_bytes_, allocated_bytes() - std::min(allocated_bytes(), before));
        took_ = std::chrono::steady_clock::now() - began;
        return testing_net::finish(loop_, *task);
    }

    [[nodiscard]] std::size_t most_bytes() const { return most_bytes_; }

    [[nodiscard]] std::chrono::nanoseconds took() const { return took_; }

    [[nodiscard]] const std::vector<std::string>& wrong() const { return server_.wrong; }

private:
    void set_route(const std::string& word) {
        const auto equals = word.find('=');
        const auto name = word.substr(0, equals);
        const auto value = equals == std::string::npos ? std::string{} : word.substr(equals + 1);
        if (name == "tls" || name == "starttls") {
            route_.mode = name == "tls" ? config::tls_mode::implicit : config::tls_mode::starttls;
            route_.policy = config::tls_policy::required_verified;
        } else if (name == "user") {
            route_.username = value;
        } else if (name == "secret") {
            secret_ = value;
        } else if (name == "lockstep") {
            route_.pipelining = false;
        } else if (name == "across") {
            across_ = true;
        } else if (name == "recipients") {
            recipients_ = static_cast<std::uint8_t>(std::stoul(value));
        } else if (name == "mails") {
            mail_count_ = static_cast<std::uint8_t>(std::stoul(value));
        } else if (name == "body") {
            body_size_ = std::stoul(value);
        } else {
            throw std::runtime_error{script_.name + ": unknown route word " + word};
        }
    }

    void set_limit(const std::string& word) {
        const auto name = word.substr(0, word.find('='));
        const auto limit = parse_duration(word.substr(name.size() + 1)).value();
        if (name == "transaction") {
            route_.transaction_limit = limit;
            return;
        }
        for (std::size_t i = 0; i < smtp::phase_count; ++i)
            if (const auto p = static_cast<smtp::phase>(i); label(p) == name) {
                route_.timeouts.set(p, limit);
                return;
            }
        throw std::runtime_error{script_.name + ": unknown phase " + name};
    }

    net::transaction make_mail(std::uint8_t number) const {
        std::vector<std::string> to;
        std::vector<std::uint32_t> indexes;
        for (std::uint8_t i = 0; i < recipients_; ++i) {
            to.push_back("user" + std::to_string(i) + "@y.example");
            indexes.push_back(i);
        }
        std::string body = "Subject: hello\r\n\r\n";
        while (body.size() < body_size_)
            body += "A line of a mail that is long enough to be worth being sent at all.\r\n";
        auto m = test::make_message(number, "from@x.example", to, std::move(body));
        const auto from = m->from;
        return {std::move(m), std::move(indexes), from, {}};
    }

    const script& script_;
    asio::io_context loop_;
    test::scripted_server server_;
    testing_net::certificate_ptr certificate_;
    config::route_options route_;
    std::string secret_;
    bool across_ = false;
    std::uint8_t recipients_ = 1, mail_count_ = 1;
    std::size_t body_size_ = 0;
    std::vector<net::transaction> mails_;
    std::size_t most_bytes_ = 0;
    std::chrono::nanoseconds took_{};
};

void check(const std::string& end, const report& r) {
    const auto space = end.find(' ');
    const auto what = end.substr(0, space);
    const auto rest = space == std::string::npos ? std::string{} : end.substr(space + 1);
    if (what == "open") {
        EXPECT_FALSE(r.is_open);
        EXPECT_EQ(text_of(r.opened), rest);
        return;
    }
    EXPECT_TRUE(r.is_open) << text_of(r.opened);
    EXPECT_EQ(r.opened.at, smtp::phase::ready);
    if (what == "ready")
        return;
    if (what == "closed" || what == "reusable") {
        EXPECT_EQ(r.is_reusable, what == "reusable");
        return;
    }
    const auto dot = what.find('.');
    const auto mail = std::stoul(what.substr(0, dot)) - 1;
    const auto recipient = std::stoul(what.substr(dot + 1)) - 1;
    if (mail >= r.mails.size()) {
        EXPECT_EQ(rest, "untried") << "message " << mail + 1;
        return;
    }
    ASSERT_LT(recipient, r.mails[mail].size());
    EXPECT_EQ(text_of(r.mails[mail][recipient]), rest);
}

class HostileServers : public testing::TestWithParam<script> {};

}  // namespace

TEST_P(HostileServers, EndAsTheScriptSays) {
    trial t{GetParam()};
    const auto r = t.run();
    SCOPED_TRACE(printable(r.transcript, 2000));
    ASSERT_FALSE(GetParam().ends.empty()) << "the script says nothing of the end";
    for (const auto& end : GetParam().ends) {
        SCOPED_TRACE("= " + end);
        check(end, r);
    }
    EXPECT_THAT(t.wrong(), testing::IsEmpty());
    EXPECT_LT(t.most_bytes(), 1024u * 1024u);
    EXPECT_LT(t.took(), 10s);  // the limits that are not set are 20 s
}

// The set has 44 cases, each named by its number in the first line of a script ("# 20, 21: …").
TEST(HostileSet, HasAScriptForEveryNumber) {
    std::set<int> numbers;
    for (const auto& file : std::filesystem::directory_iterator{ESTAFETTE_SOURCE_DIR "/tests/sink/scripts"}) {
        std::ifstream in{file.path()};
        std::string line;
        std::getline(in, line);
        std::istringstream words{line.substr(0, line.find(':'))};
        char mark = 0;
        int number = 0;
        for (words >> mark; words >> number; words >> mark)
            numbers.insert(number);
    }
    for (int number = 1; number <= 44; ++number)
        EXPECT_TRUE(numbers.contains(number)) << number;
}

INSTANTIATE_TEST_SUITE_P(
    All,
    HostileServers,
    testing::ValuesIn(test::read_scripts(ESTAFETTE_SOURCE_DIR "/tests/sink/scripts")),
    [](const testing::TestParamInfo<script>& info) { return "n" + info.param.name; }
);
