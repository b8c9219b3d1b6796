// A daemon for tests: HTTP on a Unix socket of its own, answers chosen by a function, requests kept.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace estafette::cli {

struct seen_request {
    std::string method, target, content_type, key, body;
};

struct fake_answer {
    unsigned status = 200;
    std::string body = "{}";
    std::string retry_after;
    enum class way { answer, close, garbage } how = way::answer;
};

class fake_daemon {
public:
    using behaviour = std::function<fake_answer(const seen_request&)>;

    explicit fake_daemon(behaviour how)
        : behaviour_{std::move(how)} {
        std::string pattern = (std::filesystem::temp_directory_path() / "estafette-cli-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        acceptor_.open();
        acceptor_.bind(endpoint{socket()});
        acceptor_.listen();
        thread_ = std::thread{[this] { serve(); }};
    }

    // Always the same answer.
    fake_daemon(unsigned status, std::string body, std::string retry_after = "")
        : fake_daemon{[=](const seen_request&) { return fake_answer{status, body, retry_after, {}}; }} {}

    ~fake_daemon() {
        stopping_ = true;
        protocol::socket wake{loop_};
        boost::system::error_code ignored;
        wake.connect(endpoint{socket()}, ignored);
        thread_.join();
        std::filesystem::remove_all(folder_);
    }

    fake_daemon(const fake_daemon&) = delete;
    fake_daemon& operator=(const fake_daemon&) = delete;

    std::string socket() const { return folder_ + "/api.sock"; }

    const std::string& folder() const { return folder_; }

    std::vector<seen_request> requests() const {
        const std::lock_guard lock{mutex_};
        return requests_;
    }

private:
    using protocol = boost::asio::local::stream_protocol;
    using endpoint = protocol::endpoint;

    void serve() {
        for (;;) {
            protocol::socket peer{loop_};
            acceptor_.accept(peer);
            if (stopping_) {
                return;
            }
            answer(peer);
        }
    }

    void answer(protocol::socket& peer) {
        namespace http = boost::beast::http;
        boost::beast::flat_buffer buffer;
        http::request_parser<http::string_body> parser;
        parser.body_limit(64u << 20);
        boost::system::error_code e;
        http::read(peer, buffer, parser, e);
        if (e) {
            return;
        }
        const auto& message = parser.get();
        const seen_request request{
            std::string{message.method_string()},
            std::string{message.target()},
            std::string{message[http::field::content_type]},
            std::string{message["Idempotency-Key"]},
            message.body()
        };
        fake_answer what = behaviour_(request);
        {
            const std::lock_guard lock{mutex_};
            requests_.push_back(request);
        }
        if (what.how == fake_answer::way::close) {
            return;
        }
        if (what.how == fake_answer::way::garbage) {
            boost::asio::write(peer, boost::asio::buffer(std::string{"220 mail.example ESMTP\r\n\r\n"}), e);
            return;
        }
        http::response<http::string_body> response{static_cast<http::status>(what.status), 11};
        response.set(
            http::field::content_type, what.status < 300 ? "application/json" : "application/problem+json"
        );
        if (!what.retry_after.empty()) {
            response.set(http::field::retry_after, what.retry_after);
        }
        response.body() = what.body;
        response.prepare_payload();
        http::write(peer, response, e);
    }

    behaviour behaviour_;
    std::string folder_;
    boost::asio::io_context loop_;
    protocol::acceptor acceptor_{loop_};
    std::atomic<bool> stopping_ = false;
    mutable std::mutex mutex_;
    std::vector<seen_request> requests_;
    std::thread thread_;
};

}  // namespace estafette::cli
