// The server's side of an LMTP connection (RFC 2033) over which a mail server delivers what came back: a
// machine without I/O. Bytes go in; answers, and now and then a whole mail, come out.
//
// Promises: any bytes cost bounded memory; a mail ends only at CRLF "." CRLF, so that nothing hides behind
// another line end; of a long mail the beginning is kept, which is all that a report needs. It takes every
// recipient: whom a report concerns is not said by the envelope alone, and a bounce has no way back.
// Extensions: PIPELINING, ENHANCEDSTATUSCODES, 8BITMIME, SMTPUTF8. Pure; one per connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estafette::bounce {

struct lmtp_limits {
    std::size_t line = 2048;          // of a command
    std::size_t recipients = 20;      // of a mail
    std::size_t kept = 1u << 20;      // bytes of a mail; the rest is read and forgotten
    std::size_t mail = 64u << 20;     // bytes of a mail; more ends the connection
    std::size_t wrong_commands = 20;  // then it ends too
};

struct lmtp_mail {
    std::vector<std::string> to;  // without < >; never empty
    std::string content;          // without the dots of transparency
};

class lmtp {
public:
    explicit lmtp(std::string hostname, lmtp_limits limits = {});

    [[nodiscard]] std::string greeting() const;

    struct step {
        std::size_t used = 0;           // of the bytes; what is behind a mail comes again after answer()
        std::string out;                // to be written
        std::optional<lmtp_mail> mail;  // wants answer() before the next feed()
        bool ends = false;              // close after writing
    };

    [[nodiscard]] step feed(std::string_view bytes);

    // A reply line for each recipient of the mail, in order, without CRLF: "250 2.0.0 failed".
    [[nodiscard]] std::string answer(const std::vector<std::string>& replies);

private:
    enum class phase : std::uint8_t { new_connection, idle, sender, recipients, content, answering };

    void take_line(std::string_view line, step& s);
    void take_command(std::string_view verb, std::string_view rest, step& s);
    void take_mail(std::string_view rest, step& s);
    void take_recipient(std::string_view rest, step& s);
    [[nodiscard]] std::size_t take_content(std::string_view bytes, step& s);
    void keep(char c);
    void refuse(const char* reply, step& s);
    void forget();

    std::string hostname_;
    lmtp_limits limits_;
    phase phase_ = phase::new_connection;
    std::string line_;
    bool is_too_long_ = false;  // the line under way; its rest is thrown away
    std::size_t wrong_ = 0;
    lmtp_mail mail_;
    std::size_t seen_ = 0;  // bytes of the content
    std::uint8_t end_ = 2;  // how much of CRLF "." CRLF has been seen; a content begins after a CRLF
};

}  // namespace estafette::bounce
