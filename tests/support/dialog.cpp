#include "dialog.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace estafette::test {

namespace {

constexpr std::string_view default_body =
    "From: a@x.example\r\nSubject: test\r\n\r\nHello.\r\n.hidden\r\n..\r\nend\r\n";

struct error_word {
    errc value;
    std::string_view word;
};

constexpr error_word error_words[] = {
    {errc::reply_malformed, "reply_malformed"},
    {errc::reply_too_long, "reply_too_long"},
    {errc::reply_unexpected, "reply_unexpected"},
    {errc::bytes_unsolicited, "bytes_unsolicited"},
    {errc::eightbitmime_missing, "eightbitmime_missing"},
    {errc::smtputf8_missing, "smtputf8_missing"},
    {errc::size_exceeded, "size_exceeded"},
    {errc::starttls_missing, "starttls_missing"},
    {errc::auth_missing, "auth_missing"},
    {errc::auth_challenge_invalid, "auth_challenge_invalid"},
    {errc::auth_server_unproven, "auth_server_unproven"},
    {errc::requiretls_missing, "requiretls_missing"},
    {errc::timeout, "timeout"},
    {errc::interrupted, "interrupted"},
    {errc::connection_closed, "connection_closed"},
    {errc::tls_handshake, "tls_handshake"},
    {errc::domain_invalid, "domain_invalid"},
};

class reader {
public:
    reader(const std::string& text, const std::string& name)
        : input_{text}
        , name_{name} {
        result_.name = std::filesystem::path{name}.stem().string();
        result_.options.helo = "me.example";
        result_.options.starttls = smtp::starttls_use::never;
        result_.options.nonce = "rOprNGfwEbeRWgbNEkqO";
    }

    dialog read() {
        std::string line;
        while (std::getline(input_, line)) {
            ++line_;
            if (!line.empty() && line.front() != '#') {
                take(line);
            }
        }
        if (result_.steps.empty()) {
            fail("a dialogue without a step");
        }
        return std::move(result_);
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw std::runtime_error{name_ + ":" + std::to_string(line_) + ": " + what};
    }

    void take(const std::string& line) {
        const std::string_view rest = std::string_view{line}.substr(std::min<std::size_t>(3, line.size()));
        if (line.starts_with("S: ") || line == "S:") {
            step(dialog_event::server, std::string{rest} + "\r\n");
        } else if (line.starts_with("S~ ")) {
            step(dialog_event::server_early, std::string{rest} + "\r\n");
        } else if (line.starts_with("S! ")) {
            step(dialog_event::server_at_once, unescape(rest));
        } else if (line.starts_with("C: (content")) {
            step(dialog_event::client, content(line));
        } else if (line.starts_with("C: ") || line == "C:") {
            step(dialog_event::client, std::string{rest} + "\r\n");
        } else if (line.starts_with("! ") || line.starts_with("> ")) {
            step(event(line.substr(2)), {});
        } else if (line == "--") {
            step(dialog_event::pause, {});
        } else {
            std::istringstream words{line};
            std::string first;
            words >> first;
            if (first == "given") {
                given(words);
            } else if (first == "message") {
                message(words);
            } else if (first == "=") {
                expectation(words);
            } else {
                fail("not a line of a dialogue");
            }
        }
    }

    void step(dialog_event what, std::string text) {
        result_.steps.push_back({what, std::move(text), line_});
    }

    dialog_event event(const std::string& word) const {
        if (word == "tls") {
            return dialog_event::tls;
        }
        if (word == "drop") {
            return dialog_event::drop;
        }
        if (word == "timeout") {
            return dialog_event::timeout;
        }
        if (word == "interrupt") {
            return dialog_event::interrupt;
        }
        if (word == "quit") {
            return dialog_event::quit;
        }
        fail("no such event: " + word);
    }

    // \r \n \\ and \xHH; \*N*TEXT\* repeats TEXT N times.
    std::string unescape(std::string_view text) const {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '\\' || i + 1 == text.size()) {
                out += text[i];
                continue;
            }
            ++i;
            if (text[i] == 'r') {
                out += '\r';
            } else if (text[i] == 'n') {
                out += '\n';
            } else if (text[i] == 'x' && i + 2 < text.size()) {
                out += static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
                i += 2;
            } else if (text[i] == '*') {
                const std::size_t star = text.find('*', i + 1);
                const std::size_t end = text.find("\\*", star);
                if (star == std::string_view::npos || end == std::string_view::npos) {
                    fail("a repetition without an end");
                }
                const int count = std::stoi(std::string{text.substr(i + 1, star - i - 1)});
                const std::string what = unescape(text.substr(star + 1, end - star - 1));
                for (int n = 0; n < count; ++n) {
                    out += what;
                }
                i = end + 1;
            } else {
                out += text[i];
            }
        }
        return out;
    }

    // "C: (content 2)"; "C: (content 2 raw)" is the content without doubled dots, as BDAT sends it.
    std::string content(const std::string& line) const {
        std::istringstream words{line.substr(11)};
        std::size_t number = 0;
        std::string how;
        words >> number >> how;
        if (number == 0 || number > result_.messages.size()) {
            fail("no such message");
        }
        const dialog_message& m = result_.messages[number - 1];
        return how.starts_with("raw") ? *m.message->body : m.stuffed();
    }

    void given(std::istringstream& words) {
        std::string word;
        while (words >> word) {
            const std::size_t equals = word.find('=');
            const std::string name = word.substr(0, equals);
            const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
            option(name, value);
        }
    }

    void option(const std::string& name, const std::string& value) {
        smtp::session_options& o = result_.options;
        if (name == "lockstep") {
            o.pipelining = false;
        } else if (name == "pipelining") {
            o.across_messages = false;
        } else if (name == "across") {
            o.across_messages = true;
        } else if (name == "chunking") {
            o.chunking = true;
        } else if (name == "window") {
            o.window = static_cast<std::uint32_t>(std::stoul(value));
        } else if (name == "group") {
            o.group_limit = static_cast<std::uint32_t>(std::stoul(value));
        } else if (name == "starttls") {
            o.starttls = value == "required"     ? smtp::starttls_use::required
                         : value == "if_offered" ? smtp::starttls_use::if_offered
                                                 : smtp::starttls_use::never;
        } else if (name == "tls") {
            result_.tls_from_start = true;
            result_.tls.verified = true;
        } else if (name == "verified") {
            result_.tls.verified = true;
        } else if (name == "binding") {
            result_.tls.binding = {value, "binding-of-this-connection"};
        } else if (name == "helo") {
            o.helo = value;
        } else if (name == "user") {
            o.login.username = value;
        } else if (name == "secret") {
            o.login.secret = value;
        } else if (name == "nonce") {
            o.nonce = value;
        } else if (name == "mechanisms") {
            std::istringstream list{value};
            std::string one;
            while (std::getline(list, one, ',')) {
                const auto m = smtp::parse_mechanism(one);
                m ? o.mechanisms.push_back(*m) : fail("no such mechanism: " + one);
            }
        } else {
            fail("no such option: " + name);
        }
    }

    // message from <a@x> to <b@y> <c@y> [body="…"] [size=N] [require_tls] [ret=full] [envid=…] [notify=…]
    // [orcpt]
    void message(std::istringstream& words) {
        std::string all;
        std::getline(words, all);
        std::string body{default_body};
        if (const std::size_t at = all.find(" body=\""); at != std::string::npos) {
            const std::size_t end = all.find('"', at + 7);
            body = unescape(std::string_view{all}.substr(at + 7, end - at - 7));
            all.erase(at, end - at + 1);
        }
        std::istringstream rest{all};
        std::string word, from;
        std::vector<std::string> to, more;
        bool in_to = false;
        while (rest >> word) {
            if (word == "to") {
                in_to = true;
            } else if (word.starts_with('<')) {
                const std::string address = word.substr(1, word.size() - 2);
                in_to ? to.push_back(address) : void(from = address);
            } else if (word != "from") {
                more.push_back(word);
            }
        }
        if (to.empty()) {
            fail("a message without a recipient");
        }
        const auto number = static_cast<std::uint8_t>(result_.messages.size() + 1);
        auto whole = std::make_shared<mail::message>(*make_message(number, from, to, std::move(body)));
        dialog_message m;
        for (const std::string& w : more) {
            flag(w, *whole, m);
        }
        m.return_path = whole->from;
        m.message = std::move(whole);
        for (std::uint32_t i = 0; i < m.message->to.size(); ++i) {
            m.recipients.push_back(i);
        }
        result_.messages.push_back(std::move(m));
    }

    void flag(const std::string& word, mail::message& whole, dialog_message& m) const {
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
        if (name == "require_tls") {
            whole.require_tls = true;
            return;
        }
        if (name == "size") {
            whole.facts.size = std::stoull(value);
            return;
        }
        if (!m.dsn) {
            m.dsn.emplace();
        }
        if (name == "ret") {
            m.dsn->ret =
                value == "full" ? smtp::dsn_request::content::full : smtp::dsn_request::content::headers;
        } else if (name == "envid") {
            m.dsn->envid = unescape(value);
        } else if (name == "notify") {
            m.dsn->notify = static_cast<std::uint8_t>(std::stoi(value));
        } else if (name == "orcpt") {
            m.dsn->orcpt = true;
        } else {
            fail("no such word for a message: " + name);
        }
    }

    smtp::phase phase_of(const std::string& word) const {
        for (std::size_t i = 0; i < smtp::phase_count; ++i) {
            if (smtp::label(static_cast<smtp::phase>(i)) == word) {
                return static_cast<smtp::phase>(i);
            }
        }
        fail("no such phase: " + word);
    }

    void code_or_error(const std::string& word, int& code, std::string& error) const {
        int number = 0;
        const auto [end, bad] = std::from_chars(word.data(), word.data() + word.size(), number);
        if (bad == std::errc{} && end == word.data() + word.size()) {
            code = number;
            return;
        }
        const auto* const found =
            std::find_if(std::begin(error_words), std::end(error_words), [&](const error_word& w) {
                return w.word == word;
            });
        if (found == std::end(error_words)) {
            fail("no such error: " + word);
        }
        error = word;
    }

    void expectation(std::istringstream& words) {
        std::string word;
        words >> word;
        if (word == "session") {
            words >> word;
            result_.usable = word == "usable";
        } else if (word == "failure") {
            words >> word;
            result_.failed_at = phase_of(word);
            while (words >> word) {
                code_or_error(word, result_.failure_code, result_.failure_error);
            }
        } else if (word == "misbehaved") {
            words >> word;
            for (const auto m :
                 {smtp::misbehaviour::pipelining,
                  smtp::misbehaviour::across_messages,
                  smtp::misbehaviour::chunking}) {
                result_.misbehaved = smtp::to_text(m) == word ? m : result_.misbehaved;
            }
        } else {
            recipient(word, words);
        }
    }

    void recipient(std::string word, std::istringstream& words) {
        expected_recipient e;
        e.line = line_;
        if (!word.starts_with('<')) {
            e.message = std::stoul(word) - 1;
            words >> word;
        }
        e.address = word.substr(1, word.size() - 2);
        words >> word;
        if (word == "untried") {
            e.tried = false;
        } else {
            e.at = phase_of(word);
            while (words >> word) {
                if (word == "uncertain") {
                    e.uncertain = true;
                } else {
                    code_or_error(word, e.code, e.error);
                }
            }
        }
        result_.recipients.push_back(e);
    }

    std::istringstream input_;
    std::string name_;
    int line_ = 0;
    dialog result_;
};

mail::body_facts facts_of(const std::string& body) {
    mail::body_facts facts;
    facts.size = body.size();
    const std::size_t header_end = std::min(body.find("\r\n\r\n"), body.size());
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (static_cast<unsigned char>(body[i]) > 127) {
            (i < header_end ? facts.utf8_header : facts.eight_bit) = true;
        }
    }
    facts.leading_dot = body.starts_with('.') || body.find("\n.") != std::string::npos;
    std::size_t begin = 0;
    while (begin < body.size()) {
        const std::size_t end = std::min(body.find("\r\n", begin), body.size());
        facts.longest_line = std::max(facts.longest_line, static_cast<std::uint32_t>(end - begin));
        begin = end + 2;
    }
    return facts;
}

}  // namespace

smtp::transaction_view dialog_message::view() const {
    return {
        .message = message.get(),
        .recipients = recipients,
        .return_path = return_path ? &*return_path : nullptr,
        .dsn = dsn ? &*dsn : nullptr,
    };
}

std::string dialog_message::stuffed() const {
    std::string out;
    bool at_line_start = true;
    for (const char c : *message->body) {
        if (c == '.' && at_line_start) {
            out += '.';
        }
        out += c;
        at_line_start = c == '\n';
    }
    return out;
}

dialog dialog::parse(const std::string& text, const std::string& name) {
    return reader{text, name}.read();
}

dialog dialog::read(const std::filesystem::path& file) {
    std::ifstream in{file};
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) {
        throw std::runtime_error{file.string() + ": cannot be read"};
    }
    return parse(text.str(), file.string());
}

std::vector<dialog> read_dialogs(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        if (entry.path().extension() == ".smtp") {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    std::vector<dialog> all;
    for (const auto& file : files) {
        all.push_back(dialog::read(file));
    }
    return all;
}

std::string error_name(const error_code& e) {
    if (!e) {
        return "";
    }
    for (const error_word& w : error_words) {
        if (e == w.value) {
            return std::string{w.word};
        }
    }
    return "other";
}

mail::message_ptr make_message(
    std::uint8_t number, const std::string& from, const std::vector<std::string>& to, std::string body
) {
    mail::message m;
    m.id = message_id{message_id::bytes_type{number}};
    if (!from.empty()) {
        m.from = mail::address::parse(from).value();
    }
    for (const std::string& one : to) {
        m.to.push_back(mail::address::parse(one).value());
    }
    m.facts = facts_of(body);
    m.body = std::make_shared<const std::string>(std::move(body));
    return std::make_shared<const mail::message>(std::move(m));
}

}  // namespace estafette::test
