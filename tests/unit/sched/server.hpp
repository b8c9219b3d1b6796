// A small SMTP server on the test's own loop, plain TCP on loopback. Recipients choose its behaviour:
// "grey…" is refused 451 at the first try, "unknown…" 550, "drop…" loses the connection after the final
// dot, "slow…" is answered after 50 ms; everything else is taken.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace estafette::sched {

namespace asio = boost::asio;
using asio::ip::tcp;

class server {
public:
    explicit server(asio::io_context& loop)
        : acceptor_{loop, tcp::endpoint{asio::ip::address_v4::loopback(), 0}} {}

    void start() {
        asio::co_spawn(acceptor_.get_executor(), accept(), [](const std::exception_ptr&) {});
    }

    void stop() {
        acceptor_.close();
        for (auto* s : sockets_) {
            s->close();
        }
    }

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    std::vector<std::string> accepted;  // recipients, in the order of their 250
    std::vector<std::string> senders;
    std::size_t connections = 0;
    std::size_t open = 0, most_open = 0;
    std::string greeting = "220 test\r\n";
    std::size_t mails_per_connection = SIZE_MAX;  // above: 452 4.5.3 to MAIL
    std::size_t answers_at_once = 0;              // offers CHUNKING, and answers BDAT when so many have come
    std::size_t most_unanswered = 0;              // of those
    std::vector<std::string> offers;              // keywords besides PIPELINING and 8BITMIME
    std::deque<std::string> mail_answers;         // to the next MAIL commands, instead of 250
    std::size_t most_welcome = SIZE_MAX;          // connections at a time; more are greeted with 421
    std::size_t unwelcome = 0;                    // how many were
    std::vector<std::string> parameters;          // of MAIL and RCPT, as they came
    std::set<std::string> refused_senders;        // 550 5.1.8 to MAIL
    std::map<std::string, std::string> replies;   // to RCPT of these domains

private:
    asio::awaitable<void> accept() {
        for (;;) {
            tcp::socket s = co_await acceptor_.async_accept(asio::use_awaitable);
            ++connections;
            asio::co_spawn(acceptor_.get_executor(), serve(std::move(s)), [](const std::exception_ptr&) {});
        }
    }

    asio::awaitable<void> say(tcp::socket& s, std::string text) {
        co_await asio::async_write(s, asio::buffer(text), asio::use_awaitable);
    }

    struct presence {
        presence(server& owner, tcp::socket& s)
            : home{owner}
            , socket{s} {
            home.sockets_.insert(&socket);
            home.most_open = std::max(home.most_open, ++home.open);
        }

        ~presence() {
            home.sockets_.erase(&socket);
            --home.open;
        }

        presence(const presence&) = delete;
        presence& operator=(const presence&) = delete;
        server& home;
        tcp::socket& socket;
    };

    asio::awaitable<void> serve(tcp::socket s) {
        const presence here{*this, s};
        std::string in;
        std::vector<std::string> recipients;
        std::string sender;
        std::size_t mails = 0;
        std::string withheld;
        std::size_t withheld_count = 0;
        if (open > most_welcome) {
            ++unwelcome;
            co_await say(s, "421 4.3.2 Too many connections from your host\r\n");
            co_return;
        }
        co_await say(s, greeting);
        for (;;) {
            const auto n =
                co_await asio::async_read_until(s, asio::dynamic_buffer(in), "\r\n", asio::use_awaitable);
            const std::string line = in.substr(0, n - 2);
            in.erase(0, n);
            if (line.starts_with("EHLO")) {
                const std::string chunking = answers_at_once != 0 ? "250-CHUNKING\r\n" : "";
                std::string more;
                for (const auto& keyword : offers) {
                    more += "250-" + keyword + "\r\n";
                }
                co_await say(s, "250-test\r\n250-PIPELINING\r\n" + chunking + more + "250 8BITMIME\r\n");
            } else if (line.starts_with("MAIL FROM:")) {
                recipients.clear();
                parameters.push_back(line.substr(line.find('>') + 1));
                if (++mails > mails_per_connection) {
                    co_await say(s, "452 4.5.3 too many messages sent\r\n");
                    continue;
                }
                if (!mail_answers.empty()) {
                    sender.clear();
                    co_await say(s, mail_answers.front() + "\r\n");
                    mail_answers.pop_front();
                    continue;
                }
                sender = line.substr(10);
                if (refused_senders.contains(sender.substr(1, sender.find('>') - 1))) {
                    sender.clear();
                    co_await say(s, "550 5.1.8 Sender address rejected: not one of ours\r\n");
                    continue;
                }
                co_await say(s, "250 ok\r\n");
            } else if (line.starts_with("RCPT TO:<")) {
                const auto who = line.substr(9, line.find('>') - 9);
                parameters.push_back(line.substr(line.find('>') + 1));
                if (who.starts_with("grey") && tried_.insert(who).second) {
                    co_await say(s, "451 4.7.1 Greylisted, please try again in 1 seconds\r\n");
                } else if (who.starts_with("unknown")) {
                    co_await say(s, "550 5.1.1 no such user here\r\n");
                } else if (const auto r = replies.find(who.substr(who.find('@') + 1)); r != replies.end()) {
                    co_await say(s, r->second + "\r\n");
                } else {
                    const bool has_mail = mails <= mails_per_connection && !sender.empty();
                    if (has_mail) {
                        recipients.push_back(who);
                    }
                    co_await say(s, has_mail ? "250 ok\r\n" : "503 5.5.1 MAIL first\r\n");
                }
            } else if (line == "DATA") {
                if (recipients.empty()) {
                    co_await say(s, "554 5.5.1 no valid recipients\r\n");
                    continue;
                }
                co_await say(s, "354 go ahead\r\n");
                const auto end = co_await asio::async_read_until(
                    s, asio::dynamic_buffer(in), "\r\n.\r\n", asio::use_awaitable
                );
                in.erase(0, end);
                if (recipients.front().starts_with("drop") && dropped_.insert(recipients.front()).second) {
                    s.close();
                    co_return;
                }
                if (recipients.front().starts_with("slow")) {
                    asio::steady_timer pause{s.get_executor(), std::chrono::milliseconds{50}};
                    co_await pause.async_wait(asio::use_awaitable);
                }
                senders.push_back(sender);
                accepted.insert(accepted.end(), recipients.begin(), recipients.end());
                co_await say(s, "250 2.0.0 queued as Q1\r\n");
            } else if (line.starts_with("BDAT ")) {
                const auto size = std::stoul(line.substr(5));
                if (in.size() < size) {
                    co_await asio::async_read(
                        s,
                        asio::dynamic_buffer(in),
                        asio::transfer_exactly(size - in.size()),
                        asio::use_awaitable
                    );
                }
                in.erase(0, size);
                senders.push_back(sender);
                accepted.insert(accepted.end(), recipients.begin(), recipients.end());
                withheld += "250 2.0.0 queued as Q1\r\n";
                most_unanswered = std::max(most_unanswered, ++withheld_count);
                if (withheld_count == answers_at_once) {
                    co_await say(s, std::exchange(withheld, {}));
                    withheld_count = 0;
                }
            } else if (line == "QUIT") {
                co_await say(s, "221 bye\r\n");
                co_return;
            } else {
                co_await say(s, "250 ok\r\n");
            }
        }
    }

    tcp::acceptor acceptor_;
    std::set<std::string> tried_, dropped_;
    std::set<tcp::socket*> sockets_;
};

}  // namespace estafette::sched
