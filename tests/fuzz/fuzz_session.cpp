// The machine against any server: what it answers is the input, cut into arrivals by 0x00.
//
// The first byte chooses the mode, the second how much is written at once. Whatever the server says:
// nothing but EHLO, HELO, STARTTLS and QUIT in clear where TLS is required, AUTH in TLS only, content only
// of messages that were begun, "accepted" only after the dot and by a 2yz, one outcome per recipient,
// bounded texts, and an end.
#include "check.hpp"
#include "support/dialog.hpp"

#include "estafette/smtp/session.hpp"

#include <array>
#include <cstdint>
#include <string>

using namespace estafette;
using smtp::action;
using smtp::todo;

namespace {

enum mode_bits : std::uint8_t {
    tls_from_start = 1,
    needs_starttls = 2,
    with_login = 4,
    lockstep = 8,
    not_across = 16,
    with_chunking = 32,
    with_window = 64,
    several_recipients = 128,
};

constexpr std::size_t message_count = 3;

const std::array<test::dialog_message, message_count>& messages(bool several) {
    static const auto make = [](bool many) {
        std::array<test::dialog_message, message_count> all;
        for (std::size_t i = 0; i < message_count; ++i) {
            const std::string mark = "content-of-" + std::to_string(i);
            all[i].message = test::make_message(
                static_cast<std::uint8_t>(i + 1),
                i == 1 ? "" : "a@x.example",
                many ? std::vector<std::string>{"b@y.example", "c@y.example", "d@z.example"}
                     : std::vector<std::string>{"b@y.example"},
                "A: b\r\n\r\n.\r\n" + mark + "\r\n.x\r\n"
            );
            all[i].return_path = all[i].message->from;
            for (std::uint32_t r = 0; r < all[i].message->to.size(); ++r) {
                all[i].recipients.push_back(r);
            }
        }
        return all;
    };
    static const auto one = make(false);
    static const auto three = make(true);
    return several ? three : one;
}

smtp::session_options options_of(std::uint8_t mode) {
    smtp::session_options o;
    o.helo = "me.example";
    o.starttls = (mode & needs_starttls) != 0 ? smtp::starttls_use::required : smtp::starttls_use::if_offered;
    if ((mode & with_login) != 0) {
        o.login = {"user", "pencil"};
    }
    o.nonce = "rOprNGfwEbeRWgbNEkqO";
    o.pipelining = (mode & lockstep) == 0;
    o.across_messages = (mode & not_across) == 0;
    o.chunking = (mode & with_chunking) != 0;
    o.window = (mode & with_window) != 0 ? 2 : 1;
    o.group_limit = 4;
    return o;
}

class world {
public:
    world(std::uint8_t mode, std::uint8_t piece)
        : mode_{mode}
        , piece_{1u + piece}
        , all_{messages((mode & several_recipients) != 0)}
        , session_{options_of(mode)} {}

    void run(std::string_view input) {
        const smtp::tls_facts tls{.verified = true, .binding = {"tls-exporter", "binding"}};
        act_ = (mode_ & tls_from_start) != 0 ? session_.on_connected(tls) : session_.on_connected();
        for (int rounds = 0;; ++rounds) {
            ESTAFETTE_CHECK(rounds < 100'000);
            switch (act_.what) {
            case todo::write: write(); break;
            case todo::read:
                if (session_.has_room() && begun_ < message_count) {
                    begin();
                } else if (input.empty()) {
                    act_ = session_.on_broken(errc::connection_closed);
                } else {
                    const std::size_t end = input.find('\0');
                    act_ = session_.on_bytes(input.substr(0, end));
                    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
                }
                break;
            case todo::start_tls:
                ESTAFETTE_CHECK(!session_.is_encrypted());
                act_ = session_.on_tls(tls);
                break;
            case todo::ready: begun_ < message_count ? begin() : void(act_ = session_.quit()); break;
            case todo::done: take(); break;
            case todo::close:
                ESTAFETTE_CHECK(!session_.is_usable());
                ESTAFETTE_CHECK(begun_ == taken_);
                return;
            }
            ESTAFETTE_CHECK(session_.transcript().size() <= 24u * 1024);
        }
    }

private:
    void begin() {
        act_ = session_.begin(all_[begun_].view());
        ++begun_;
        if (begun_ < message_count) {
            session_.offer_next(all_[begun_].view());
        }
    }

    void write() {
        std::string buffer(piece_, '\0');
        std::string out;
        for (std::size_t n = session_.fill(buffer); n != 0; n = session_.fill(buffer)) {
            out.append(buffer, 0, n);
        }
        const bool in_clear = !session_.is_encrypted();
        for (std::size_t i = 0; i < message_count; ++i) {
            if (out.find("content-of-" + std::to_string(i)) != std::string::npos) {
                ESTAFETTE_CHECK(i < begun_);
                has_left_[i] = true;
            }
        }
        for (std::size_t at = 0; at < out.size(); at = out.find("\r\n", at) + 2) {
            const std::string_view line{out.data() + at, out.find("\r\n", at) - at};
            ESTAFETTE_CHECK(!in_clear || !line.starts_with("AUTH "));
            ESTAFETTE_CHECK(
                !in_clear || (mode_ & needs_starttls) == 0 || line == "EHLO me.example" ||
                line == "HELO me.example" || line == "STARTTLS" || line == "QUIT"
            );
        }
        act_ = session_.on_written();
    }

    void take() {
        const auto outcomes = session_.take_outcome();
        ESTAFETTE_CHECK(taken_ < begun_);
        ESTAFETTE_CHECK(outcomes.size() == all_[taken_].recipients.size());
        for (const smtp::recipient_outcome& o : outcomes) {
            if (o.what.is_accepted()) {
                ESTAFETTE_CHECK(o.tried && o.what.dot_sent && has_left_[taken_]);
            }
            ESTAFETTE_CHECK(!o.what.dot_sent || has_left_[taken_]);
            ESTAFETTE_CHECK(!o.tried || o.what.answer || o.what.error);
            ESTAFETTE_CHECK(!o.what.answer || o.what.answer->text.size() <= 16u * 1024);
        }
        ++taken_;
        act_ = session_.current();
    }

    std::uint8_t mode_;
    std::size_t piece_;
    const std::array<test::dialog_message, message_count>& all_;
    smtp::session session_;
    action act_;
    std::size_t begun_ = 0, taken_ = 0;
    std::array<bool, message_count> has_left_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size >= 2) {
        world{data[0], data[1]}.run({reinterpret_cast<const char*>(data + 2), size - 2});
    }
    return 0;
}
