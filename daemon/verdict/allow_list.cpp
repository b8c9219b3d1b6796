#include "estafette/verdict/allow_list.hpp"

#include "phrasebook.hpp"

#include "estafette/base/text.hpp"

#include <array>

namespace estafette::verdict {

namespace {

const phrasebook& book() {
    static constexpr std::array<std::string_view, 3> known{"domain", "contact", "number"};
    static const phrasebook made = phrasebook::embedded("conf/sheets/", known);
    return made;
}

// A value of the configuration inside a table's cell.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : printable(text)) {
        out += c == '|' ? std::string{"\\|"} : std::string(1, c);
    }
    return out;
}

class page {
public:
    explicit page(language l)
        : language_{l} {}

    [[nodiscard]] std::string say(std::string_view key, facts values = {}) const {
        return book().say(language_, key, values);
    }

    void heading(std::string_view marks, std::string_view key) {
        text += std::string{marks} + " " + say(key) + "\n\n";
    }

    void paragraph(const std::string& sentences) {
        if (!sentences.empty()) {
            text += sentences + "\n\n";
        }
    }

    void begin_table() {
        text += "| " + say("table.what") + " | " + say("table.value") + " | " + say("table.purpose") +
                " |\n|---|---|---|\n";
    }

    void row(const std::string& name, const std::string& value) {
        if (!value.empty()) {
            text += "| " + say("table." + name) + " | " + value + " | " + say("table." + name + "_purpose") +
                    " |\n";
        }
    }

    std::string text;

private:
    language language_;
};

std::string codes(const std::vector<std::string>& values) {
    std::string out;
    for (const auto& value : values) {
        out += (out.empty() ? "`" : ", `") + cell(value) + "`";
    }
    return out;
}

std::string return_path(const page& p, const allow_list_facts& f) {
    switch (f.returns) {
    case return_path_kind::as_sender: return p.say("table.return_path_same");
    case return_path_kind::one_address: return "`" + cell(f.return_path) + "`";
    case return_path_kind::any_of_domain: {
        const std::array domain{fact{"domain", "`" + cell(f.return_path) + "`"}};
        return p.say("table.return_path_any", domain);
    }
    }
    return {};
}

}  // namespace

test_mail_words test_mail(language l, const std::string& number) {
    const std::array values{fact{"number", number}};
    return {book().say(l, "mail.subject", values), book().say(l, "mail.text", values)};
}

std::string allow_list_page(const allow_list_facts& f, language l) {
    page p{l};
    p.heading("#", "title");
    p.paragraph(p.say("intro"));
    p.begin_table();
    p.row("domain", codes(f.domains));
    p.row("address", codes(f.addresses));
    p.row("ip", codes(f.ips));
    p.row("server", f.ips.empty() ? codes(f.servers) : std::string{});
    p.row("return_path", return_path(p, f));
    p.row("dkim", f.dkim_domain.empty() ? std::string{} : "`" + cell(f.dkim_domain) + "`");
    p.text += '\n';
    const std::array values{
        fact{"domain", f.domains.empty() ? std::string{} : f.domains.front()},
        fact{"contact", f.contact},
    };
    p.heading("##", "how.title");
    for (const char* system : {"how.microsoft", "how.google", "how.other"}) {
        p.text += "- " + p.say(system, values) + "\n";
    }
    p.text += '\n';
    p.heading("##", "test.title");
    p.paragraph(p.say("test.text"));
    p.paragraph(p.say("contact", values));
    while (p.text.ends_with("\n\n")) {
        p.text.pop_back();
    }
    return std::move(p.text);
}

}  // namespace estafette::verdict
