#include "estafette/base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

namespace estafette::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A Unix datagram socket that plays the journal.
class journal {
public:
    journal()
        : path_{
              std::filesystem::temp_directory_path() / ("estafette-journal-" + std::to_string(::getpid()))
          } {
        std::filesystem::remove(path_);
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM, 0);
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        path_.string().copy(at.sun_path, sizeof at.sun_path - 1);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    }

    ~journal() { close(); }

    void close() {
        if (socket_ >= 0)
            ::close(std::exchange(socket_, -1));
        std::filesystem::remove(path_);
    }

    [[nodiscard]] std::string path() const { return path_.string(); }

    [[nodiscard]] std::string receive() const {
        std::string text(65'536, '\0');
        const auto n = ::recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
        text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
        return text;
    }

private:
    std::filesystem::path path_;
    int socket_ = -1;
};

TEST(log, writes_one_logfmt_line_per_event) {
    const capture log;
    event(
        level::info,
        "attempt",
        {{"id", "x.0"},
         {"code", 250},
         {"size", std::size_t{7}},
         {"tls", true},
         {"ms", std::chrono::microseconds{213'900}},
         {"reason", ""},
         {"text", "2.0.0 ok: queued as \"4B\\2\""},
         {"equation", "a=b"},
         {"at", std::string{"smtp.example:587"}},
         {"delta", -3}}
    );
    event(level::debug, "bare");
    EXPECT_THAT(
        log.lines(),
        ElementsAre(
            "event=attempt id=x.0 code=250 size=7 tls=true ms=213 reason=\"\" "
            "text=\"2.0.0 ok: queued as \\\"4B\\\\2\\\"\" equation=\"a=b\" at=smtp.example:587 delta=-3",
            "event=bare"
        )
    );
}

TEST(log, cannot_be_forged_by_peer_text) {
    const capture log;
    event(level::warning, "reply", {{"text", "550 no\r\nevent=accepted id=1\x1b[2J"}});
    EXPECT_THAT(log.lines(), ElementsAre("event=reply text=\"550 no event=accepted id=1?[2J\""));
}

TEST(log, cuts_long_values) {
    const capture log;
    event(level::info, "long", {{"text", std::string(100'000, 'x')}});
    EXPECT_LT(log.lines().front().size(), 1100u);
}

TEST(log, is_silent_below_its_level) {
    const journal peer;
    configure({.least = level::warning, .to = target::journal, .journal_socket = peer.path()});
    EXPECT_FALSE(is_on(level::info));
    EXPECT_TRUE(is_on(level::warning));
    event(level::info, "quiet");
    EXPECT_EQ(peer.receive(), "");
    event(level::error, "loud");
    EXPECT_THAT(peer.receive(), HasSubstr("MESSAGE=event=loud\n"));
}

TEST(log, sends_the_journal_its_fields) {
    const journal peer;
    configure({.to = target::journal, .program = "estafetted", .journal_socket = peer.path()});
    event(
        level::error,
        "store_failed",
        {{"errno", 5}, {"text", "Input/output error\nPRIORITY=7"}},
        "0123456789abcdef0123456789abcdef"
    );
    EXPECT_EQ(
        peer.receive(),
        "MESSAGE=event=store_failed errno=5 text=\"Input/output error PRIORITY=7\"\n"
        "PRIORITY=3\n"
        "SYSLOG_IDENTIFIER=estafetted\n"
        "ESTAFETTE_EVENT=store_failed\n"
        "MESSAGE_ID=0123456789abcdef0123456789abcdef\n"
        "ESTAFETTE_ERRNO=5\n"
        "ESTAFETTE_TEXT=Input/output error PRIORITY=7\n"
    );
}

TEST(log, counts_what_the_journal_does_not_take) {
    journal peer;
    configure({.to = target::journal, .journal_socket = peer.path()});
    const auto before = dropped();
    peer.close();
    event(level::info, "lost");
    EXPECT_EQ(dropped(), before + 1);
}

TEST(log, hides_addresses_where_wanted) {
    const journal peer;
    configure({.to = target::journal, .redact_addresses = true, .journal_socket = peer.path()});
    event(
        level::info, "attempt", {field::address("rcpt", "Ann@customer.example"), {"host", "customer.example"}}
    );
    const auto first = peer.receive();
    EXPECT_THAT(first, testing::Not(HasSubstr("Ann")));
    EXPECT_THAT(first, testing::ContainsRegex("ESTAFETTE_RCPT=sha256:[0-9a-f]{12}\n"));
    EXPECT_THAT(first, HasSubstr("host=customer.example"));
    event(
        level::info, "attempt", {field::address("rcpt", "ann@customer.example"), {"host", "customer.example"}}
    );
    EXPECT_EQ(peer.receive(), first) << "the same address must give the same hash";
}

TEST(log, falls_back_to_stderr_with_a_time_where_there_is_no_journal) {
    testing::internal::CaptureStderr();
    configure({.to = target::journal, .journal_socket = "/nonexistent/socket"});
    event(level::warning, "started", {{"version", "1"}});
    EXPECT_THAT(
        testing::internal::GetCapturedStderr(),
        testing::MatchesRegex(
            "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z level=warning event=started version=1\n"
        )
    );
}

TEST(log, takes_events_of_several_threads) {
    const capture log;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([] {
            for (int i = 0; i < 100; ++i)
                event(level::info, "tick", {{"i", i}});
        });
    threads.clear();
    EXPECT_EQ(log.lines().size(), 400u);
}

TEST(log_capture, puts_the_former_sink_back) {
    const journal peer;
    configure({.to = target::journal, .journal_socket = peer.path()});
    {
        const capture log;
        event(level::debug, "inside");
        EXPECT_EQ(log.lines().size(), 1u);
    }
    EXPECT_FALSE(is_on(level::debug));
    event(level::info, "outside");
    EXPECT_THAT(peer.receive(), HasSubstr("event=outside"));
}

TEST(log_level, reads_what_it_writes) {
    for (const auto l : {level::debug, level::info, level::warning, level::error})
        EXPECT_EQ(parse_level(to_text(l)), l);
}

}  // namespace
}  // namespace estafette::log
