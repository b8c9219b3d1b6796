// Who hands mail in, for bench_load: through the daemon's socket by HTTP, or to an MTA by SMTP, so that the
// peers are measured by the same clock and the same stamp.
#pragma once

#include "wire.hpp"

#include <algorithm>
#include <vector>

namespace bench {

struct work {
    std::uint64_t total = 0, begun = 0, done = 0, failed = 0, first = 0, batch = 1;
    std::string from, domain, extra, text;
    std::vector<std::uint32_t> latency_us;
};

// One connection that hands in one thing at a time and waits for the answer.
class caller {
public:
    caller(int fd, work& w)
        : link{fd}
        , work_{w} {}

    virtual ~caller() = default;

    [[nodiscard]] bool is_idle() const { return !is_waiting_; }

    // The next message, or batch of them.
    virtual void call() = 0;

    // False when the connection is lost.
    [[nodiscard]] bool on_event() {
        if (link.write() == io::closed) {
            return false;
        }
        const auto state = link.read();
        on_input();
        return (link.out.empty() || link.write() != io::closed) && state != io::closed;
    }

    wire link;

protected:
    virtual void on_input() = 0;

    [[nodiscard]] std::string recipient(std::uint64_t number) const {
        return "u" + std::to_string(work_.first + number) + "@" + work_.domain;
    }

    void begin() {
        started_ = now_ns();
        is_waiting_ = true;
    }

    void finish(std::uint64_t good, std::uint64_t bad) {
        if (bad != 0 && work_.failed == 0) {
            std::fprintf(stderr, "refused: %s\n", link.in.substr(0, 400).c_str());
        }
        work_.done += good;
        work_.failed += bad;
        work_.latency_us.push_back(static_cast<std::uint32_t>((now_ns() - started_) / 1000));
        link.in.clear();
        is_waiting_ = false;
    }

    work& work_;
    bool is_waiting_ = false;

private:
    std::uint64_t started_ = 0;
};

class http_caller final : public caller {
public:
    using caller::caller;

    void call() override {
        lines_ = std::min(work_.batch, work_.total - work_.begun);
        std::string body;
        for (std::uint64_t i = 0; i < lines_; ++i) {
            body += message_json(work_.begun++);
            if (work_.batch > 1) {
                body += '\n';
            }
        }
        link.out += "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: ";
        link.out += work_.batch > 1 ? "application/x-ndjson" : "application/json";
        link.out += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        begin();
    }

protected:
    void on_input() override {
        if (!is_waiting_ || !answer_is_complete()) {
            return;
        }
        const bool is_good = link.in.compare(9, 3, "202") == 0 || link.in.compare(9, 3, "200") == 0;
        std::uint64_t good = is_good ? lines_ : 0;
        if (is_good && work_.batch > 1) {
            good = 0;
            for (std::size_t at = 0; (at = link.in.find("\"status\":202", at)) != std::string::npos; ++at) {
                ++good;
            }
        }
        finish(good, lines_ - good);
    }

private:
    [[nodiscard]] std::string message_json(std::uint64_t number) const {
        return "{\"from\":\"" + work_.from + "\",\"to\":[\"" + recipient(number) +
               "\"],\"subject\":\"Load\",\"headers\":{\"X-Stamp\":\"" + std::to_string(now_ns()) + "\"}" +
               work_.extra + ",\"text\":\"" + work_.text + "\"}";
    }

    [[nodiscard]] bool answer_is_complete() const {
        const auto head = link.in.find("\r\n\r\n");
        if (head == std::string::npos) {
            return false;
        }
        const auto at = link.in.find("Content-Length: ");
        if (at == std::string::npos || at > head) {
            std::fprintf(stderr, "answer without a length: %s\n", link.in.substr(0, 200).c_str());
            std::exit(1);
        }
        return link.in.size() >= head + 4 + std::strtoull(link.in.c_str() + at + 16, nullptr, 10);
    }

    std::uint64_t lines_ = 0;
};

// Says HELO at once; then for each message one group of commands, the content, and the answer to its end.
class smtp_caller final : public caller {
public:
    smtp_caller(int fd, work& w)
        : caller{fd, w} {
        is_waiting_ = true;  // for the banner and the answer to HELO
        link.out = "HELO load.example\r\n";
        expected_ = 2;
    }

    void call() override {
        const auto number = work_.begun++;
        content_ = "From: <" + work_.from + ">\r\nTo: <" + recipient(number) +
                   ">\r\nSubject: Load\r\nX-Stamp: " + std::to_string(now_ns()) + "\r\n\r\n" + work_.text +
                   "\r\n.\r\n";
        link.out += "MAIL FROM:<" + work_.from + ">\r\nRCPT TO:<" + recipient(number) + ">\r\nDATA\r\n";
        expected_ = 3;
        is_greeted_ = true;
        begin();
    }

protected:
    void on_input() override {
        std::size_t used = 0;
        for (auto end = link.in.find('\n'); end != std::string::npos; end = link.in.find('\n', used)) {
            const char first = link.in[used];
            if (end - used >= 4 && link.in[used + 3] != '-') {
                on_reply(first);
            }
            used = end + 1;
            if (link.in.empty()) {
                return;
            }
        }
        link.in.erase(0, used);
    }

private:
    void on_reply(char first) {
        if (first != '2' && first != '3') {
            std::fprintf(stderr, "the server says: %s\n", link.in.substr(0, 400).c_str());
            std::exit(1);
        }
        if (--expected_ != 0) {
            return;
        }
        if (!is_greeted_) {
            is_waiting_ = false;
        } else if (!content_.empty()) {
            link.out += content_;
            content_.clear();
            expected_ = 1;
        } else {
            finish(1, 0);
        }
    }

    std::string content_;
    int expected_ = 0;
    bool is_greeted_ = false;
};

}  // namespace bench
