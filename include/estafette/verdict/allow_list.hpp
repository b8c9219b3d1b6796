// The page to send to a customer's IT before a launch: what their mail system should let through, and how
// (conf/sheets/*.yaml, compiled in). Markdown, since it is pasted into mails and tickets.
//
// What is not known is left out of the page, never guessed.
// Pure; any thread.
#pragma once

#include "estafette/verdict/catalogue.hpp"

#include <string>
#include <vector>

namespace estafette::verdict {

enum class return_path_kind : std::uint8_t { as_sender, one_address, any_of_domain };

struct allow_list_facts {
    std::vector<std::string> domains;    // of the senders
    std::vector<std::string> addresses;  // of the senders
    std::vector<std::string> ips;        // addresses and networks the mail comes from
    std::vector<std::string> servers;    // of the route: shown where the addresses are not known
    return_path_kind returns = return_path_kind::as_sender;
    std::string return_path;  // the address, or the domain
    std::string dkim_domain;
    std::string contact;
};

struct test_mail_words {
    std::string subject, text;
};

// The mail that shows whether mail gets through; `number` tells one from another.
[[nodiscard]] test_mail_words test_mail(language l, const std::string& number);

[[nodiscard]] std::string allow_list_page(const allow_list_facts& facts, language l);

}  // namespace estafette::verdict
