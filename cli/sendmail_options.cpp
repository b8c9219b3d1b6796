#include "sendmail_options.hpp"

#include "estafette/base/text.hpp"
#include "estafette/mail/dsn_request.hpp"

#include <array>
#include <string_view>

namespace estafette::cli {

namespace {

using parsed = boost::system::result<sendmail_options, std::string>;

// How an option letter takes its value: "-fann", "-f ann"; -d and -q only attached.
enum class value : std::uint8_t { none, required, attached };

struct letter {
    char name;
    value takes;
};

constexpr std::array<letter, 30> letters{{
    {'t', value::none},     {'i', value::none},     {'f', value::required}, {'r', value::required},
    {'F', value::required}, {'b', value::required}, {'v', value::none},     {'B', value::required},
    {'N', value::required}, {'R', value::required}, {'V', value::required}, {'o', value::required},
    {'h', value::required}, {'n', value::none},     {'L', value::required}, {'d', value::attached},
    {'p', value::required}, {'q', value::attached}, {'U', value::none},     {'X', value::required},
    {'C', value::required}, {'O', value::required}, {'A', value::required}, {'G', value::none},
    {'I', value::none},     {'m', value::none},     {'e', value::required}, {'c', value::none},
    {'x', value::none},     {'E', value::none},
}};

const letter* find(char name) {
    for (const letter& one : letters) {
        if (one.name == name) {
            return &one;
        }
    }
    return nullptr;
}

class reader {
public:
    explicit reader(const std::vector<std::string>& args)
        : args_{args} {}

    parsed read() {
        while (at_ < args_.size() && args_[at_].size() > 1 && args_[at_].front() == '-') {
            const std::string word = args_[at_++];
            if (word == "--") {
                break;
            }
            if (std::string wrong = take_word(word); !wrong.empty()) {
                return wrong;
            }
        }
        for (; at_ < args_.size(); ++at_) {
            out_.recipients.push_back(args_[at_]);
        }
        if (saw_queue_run_ && out_.mode == sendmail_mode::deliver && out_.recipients.empty() &&
            !out_.recipients_from_header) {
            out_.mode = sendmail_mode::flush;
        }
        return std::move(out_);
    }

private:
    // "-ti", "-fann", "-f" + the next word. Empty: understood.
    std::string take_word(const std::string& word) {
        for (std::size_t i = 1; i < word.size(); ++i) {
            const letter* known = find(word[i]);
            if (known == nullptr) {
                return "there is no option -" + printable(word.substr(i, 1));
            }
            if (known->takes == value::none) {
                take_flag(known->name);
                continue;
            }
            std::string given = word.substr(i + 1);
            if (given.empty() && known->takes == value::required) {
                if (at_ == args_.size()) {
                    return std::string{"option -"} + known->name + " needs a value";
                }
                given = args_[at_++];
            }
            return take_value(known->name, given);
        }
        return {};
    }

    void take_flag(char name) {
        switch (name) {
        case 't': out_.recipients_from_header = true; return;
        case 'i': out_.dot_ends_input = false; return;
        case 'v': out_.verbose = true; return;
        case 'I': out_.mode = sendmail_mode::aliases; return;
        default: out_.ignored.push_back(std::string{'-', name}); return;
        }
    }

    std::string take_value(char name, const std::string& given) {
        switch (name) {
        case 'f':
        case 'r': out_.sender = given == "<>" ? "" : given; return {};
        case 'F': out_.full_name = given; return {};
        case 'b': return take_mode(given);
        case 'B': return take_body_type(given);
        case 'N': return take_notify(given);
        case 'R': return take_returned(given);
        case 'V': out_.envelope_id = given; return {};
        case 'o':
            if (given == "i" || given == "itrue" || given == "iTrue") {
                out_.dot_ends_input = false;
                return {};
            }
            break;
        case 'q': saw_queue_run_ = true; break;
        default: break;
        }
        out_.ignored.push_back(std::string{'-', name} + given);
        return {};
    }

    std::string take_mode(const std::string& given) {
        if (given == "m") {
            out_.mode = sendmail_mode::deliver;
        } else if (given == "s") {
            out_.mode = sendmail_mode::smtp;
        } else if (given == "p") {
            out_.mode = sendmail_mode::list;
        } else if (given == "i") {
            out_.mode = sendmail_mode::aliases;
        } else if (given == "d" || given == "D") {
            return "the daemon is estafetted, a service of its own: -b" + given + " starts nothing here";
        } else {
            return "-b" + printable(given) + " is not supported: only -bm, -bs, -bp and -bi";
        }
        return {};
    }

    std::string take_notify(const std::string& given) {
        const auto parsed = mail::parse_notify(given);
        if (!parsed) {
            return "-N takes never, or of success,failure,delay what is wanted, not " + printable(given);
        }
        out_.notify = mail::notify_text(*parsed);
        return {};
    }

    std::string take_returned(const std::string& given) {
        const auto parsed = mail::parse_dsn_content(given);
        if (!parsed) {
            return "-R takes full or hdrs, not " + printable(given);
        }
        out_.returned = mail::to_text(*parsed);
        return {};
    }

    std::string take_body_type(const std::string& given) {
        if (!ascii_iequals(given, "7BIT") && !ascii_iequals(given, "8BITMIME")) {
            return "-B takes 7BIT or 8BITMIME, not " + printable(given);
        }
        out_.body_type = given;
        return {};
    }

    const std::vector<std::string>& args_;
    std::size_t at_ = 0;
    bool saw_queue_run_ = false;
    sendmail_options out_;
};

}  // namespace

parsed parse_sendmail(const std::vector<std::string>& args) {
    return reader{args}.read();
}

}  // namespace estafette::cli
