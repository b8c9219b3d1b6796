// The reader of tests/dialogs/*.smtp (format: tests/dialogs/README.md): a dialogue between the session
// machine and a server as data, so that several runners can play the same file. Throws
// std::runtime_error "FILE:LINE: what is wrong".
#pragma once

#include "estafette/mail/message.hpp"
#include "estafette/smtp/session.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace estafette::test {

struct dialog_message {
    mail::message_ptr message;
    std::vector<std::uint32_t> recipients;  // indexes into message->to
    std::optional<mail::address> return_path;
    std::optional<smtp::dsn_request> dsn;

    [[nodiscard]] smtp::transaction_view view() const;

    // The content as it must appear on the wire, final dot excluded.
    [[nodiscard]] std::string stuffed() const;
};

enum class dialog_event {
    server,          // `text` comes from the server
    server_at_once,  // the same, arriving in one piece
    server_early,    // `text` comes while the client is still writing
    client,          // `text` is what the client must send next
    tls,             // the handshake succeeds
    drop,            // the server closes
    timeout,         // the server is silent for too long
    interrupt,       // we stop the operation
    quit,            // the owner says quit()
    pause,           // the server's bytes up to here arrive by themselves
};

struct dialog_step {
    dialog_event what = dialog_event::pause;
    std::string text;  // bytes, with line ends
    int line = 0;      // in the file
};

// "= <b@y> rcpt 550", "= 2 <b@y> untried", "= <b@y> dot timeout uncertain"
struct expected_recipient {
    std::size_t message = 0;  // from 0
    std::string address;
    bool tried = true;
    smtp::phase at = smtp::phase::mail;
    int code = 0;            // 0: no answer
    std::string error;       // the name in errc; empty: none
    bool uncertain = false;  // the dot was sent and not answered
    int line = 0;
};

struct dialog {
    std::string name;  // the file's, without folder and ending
    smtp::session_options options;
    bool tls_from_start = false;
    smtp::tls_facts tls;  // given at every handshake
    std::vector<dialog_message> messages;
    std::vector<dialog_step> steps;

    std::vector<expected_recipient> recipients;
    std::optional<bool> usable;            // "= session usable|closed"
    std::optional<smtp::phase> failed_at;  // "= failure starttls 454" or "= failure auth auth_missing"
    int failure_code = 0;
    std::string failure_error;
    smtp::misbehaviour misbehaved = smtp::misbehaviour::none;

    [[nodiscard]] static dialog read(const std::filesystem::path& file);
    [[nodiscard]] static dialog parse(const std::string& text, const std::string& name);
};

// Every *.smtp below `folder`, in the order of their names.
[[nodiscard]] std::vector<dialog> read_dialogs(const std::filesystem::path& folder);

// The enumerator's name; "other" for those that no dialogue names.
[[nodiscard]] std::string error_name(const error_code& e);

// A message for tests: the given bytes, its facts computed.
[[nodiscard]] mail::message_ptr make_message(
    std::uint8_t number, const std::string& from, const std::vector<std::string>& to, std::string body
);

}  // namespace estafette::test
