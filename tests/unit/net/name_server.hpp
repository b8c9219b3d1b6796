// A name server on loopback that answers from a table.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace testing_net {

namespace asio = boost::asio;

enum class how : std::uint8_t { answer, silent, truncated, no_such_name, server_failure, cname_loop };

struct record_set {
    how kind = how::answer;
    std::vector<std::string> a{}, aaaa{};
    std::uint32_t ttl = 300;
};

// Names it does not know do not exist.
class name_server {
public:
    explicit name_server(asio::io_context& loop)
        : socket_{loop, asio::ip::udp::endpoint{asio::ip::address_v4::loopback(), 0}} {
        receive();
    }

    std::map<std::string, record_set> names;
    std::map<std::string, int> asked;  // questions for A, by name

    [[nodiscard]] std::string address() const {
        return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
    }

    void close() { socket_.close(); }

private:
    void receive() {
        socket_.async_receive_from(
            asio::buffer(in_),
            from_,
            [this](boost::system::error_code ec, std::size_t n) {
                if (ec)
                    return;
                reply(std::string{in_.data(), n});
                receive();
            }
        );
    }

    static void put16(std::string& to, unsigned v) {
        to += static_cast<char>(v >> 8);
        to += static_cast<char>(v & 0xff);
    }

    static void put_record(std::string& to, unsigned type, std::uint32_t ttl, std::string_view data) {
        put16(to, 0xc00c);  // the question's name
        put16(to, type);
        put16(to, 1);
        put16(to, ttl >> 16);
        put16(to, ttl & 0xffff);
        put16(to, static_cast<unsigned>(data.size()));
        to += data;
    }

    static std::string bytes_of(const std::string& address) {
        const auto parsed = asio::ip::make_address(address);
        if (parsed.is_v4()) {
            const auto b = parsed.to_v4().to_bytes();
            return {b.begin(), b.end()};
        }
        const auto b = parsed.to_v6().to_bytes();
        return {b.begin(), b.end()};
    }

    static std::string name_of(const std::string& question, std::size_t& at) {
        std::string name;
        while (question[at] != 0) {
            const auto length = static_cast<std::size_t>(question[at]);
            name += (name.empty() ? "" : ".") + question.substr(at + 1, length);
            at += length + 1;
        }
        ++at;
        return name;
    }

    void reply(const std::string& question) {
        std::size_t at = 12;
        const auto name = name_of(question, at);
        const auto type = static_cast<unsigned char>(question[at + 1]);
        const auto question_end = at + 4;
        const auto found = names.find(name);
        const auto set = found == names.end() ? record_set{.kind = how::no_such_name} : found->second;
        asked[name] += type == 1 ? 1 : 0;
        if (set.kind == how::silent)
            return;
        std::string records;
        unsigned count = 0;
        for (const auto& a : type == 1 ? set.a : set.aaaa) {
            put_record(records, type, set.ttl, bytes_of(a));
            ++count;
        }
        if (set.kind == how::cname_loop) {
            put_record(records, 5, set.ttl, std::string{"\xc0\x0c", 2});
            ++count;
        }
        unsigned flags = 0x8180;
        flags |= set.kind == how::no_such_name ? 3u : set.kind == how::server_failure ? 2u : 0u;
        flags |= set.kind == how::truncated ? 0x0200u : 0u;
        std::string out = question.substr(0, 2);
        put16(out, flags);
        put16(out, 1);
        put16(out, count);
        put16(out, 0);
        put16(out, 0);
        out += question.substr(12, question_end - 12);
        out += records;
        socket_.send_to(asio::buffer(out), from_);
    }

    asio::ip::udp::socket socket_;
    asio::ip::udp::endpoint from_;
    std::array<char, 1500> in_{};
};

}  // namespace testing_net
