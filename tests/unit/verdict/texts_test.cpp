// What people read besides the reasons, and what holds for all texts: as it is in the files, so that no
// sentence is left out.
#include "estafette/base/text.hpp"
#include "estafette/verdict/allow_list.hpp"
#include "estafette/verdict/diagnosis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace estafette::verdict {
namespace {

constexpr std::array all_languages{language::en, language::fr, language::nl};
constexpr std::string_view no_break_space = "\u00a0";

struct line {
    std::string where, text;
};

// Of the files of a language, without the remarks.
std::vector<line> lines_of(language l) {
    std::vector<line> out;
    for (const auto& file : embedded_verdict()) {
        const auto name = std::string{to_text(l)} + ".yaml";
        if (!file.path.ends_with("/" + name)) {
            continue;
        }
        std::istringstream content{std::string{file.content}};
        std::string text;
        for (int number = 1; std::getline(content, text); ++number) {
            if (!text.starts_with('#')) {
                out.push_back({std::string{file.path} + ":" + std::to_string(number), text});
            }
        }
    }
    return out;
}

TEST(texts, there_are_files_of_every_kind_in_every_language) {
    for (const auto l : all_languages) {
        std::set<std::string> files;
        for (const auto& one : lines_of(l)) {
            files.insert(one.where.substr(0, one.where.find(':')));
        }
        EXPECT_EQ(files.size(), 3u) << "reasons, diagnoses, sheets: " << to_text(l);
    }
}

// A key's colon is followed by a space or the line's end; a sign of the text has its space before it.
TEST(texts, french_signs_have_a_space_that_does_not_break) {
    for (const auto& [where, text] : lines_of(language::fr)) {
        for (const char* wrong : {" :", " ;", " !", " ?", "« ", " »", "“", "”"}) {
            EXPECT_EQ(text.find(wrong), std::string::npos) << where << ": " << text;
        }
        const auto begins = text.find_first_not_of(' ');
        const auto key_ends = text.find(':', begins == std::string::npos ? 0 : begins);
        for (auto at = text.find_first_of(":;!?", key_ends + 1); at != std::string::npos;
             at = text.find_first_of(":;!?", at + 1)) {
            EXPECT_TRUE(std::string_view{text}.substr(0, at).ends_with(no_break_space))
                << where << ": " << text;
        }
        for (auto at = text.find("«"); at != std::string::npos; at = text.find("«", at + 1)) {
            EXPECT_TRUE(std::string_view{text}.substr(at + 2).starts_with(no_break_space))
                << where << ": " << text;
        }
        for (auto at = text.find("»"); at != std::string::npos; at = text.find("»", at + 1)) {
            EXPECT_TRUE(std::string_view{text}.substr(0, at).ends_with(no_break_space))
                << where << ": " << text;
        }
    }
}

TEST(texts, quotes_and_apostrophes_are_those_of_the_language) {
    for (const auto l : all_languages) {
        for (const auto& [where, text] : lines_of(l)) {
            EXPECT_EQ(text.find('\''), std::string::npos) << where << ": " << text;
            EXPECT_EQ(text.find("‘"), std::string::npos) << where << ": " << text;
            if (l != language::fr) {
                EXPECT_EQ(text.find("«"), std::string::npos) << where << ": " << text;
            }
            // A " begins or ends the value, or is none of the text's.
            const auto value = trim(std::string_view{text}.substr(text.find(':') + 1));
            if (value.size() > 2) {
                EXPECT_EQ(value.substr(1, value.size() - 2).find('"'), std::string::npos)
                    << where << ": " << text;
            }
        }
    }
}

// Readers are addressed as “vous” and “u” throughout.
TEST(texts, readers_are_addressed_politely) {
    const auto has_word = [](const std::string& text, std::string_view word) {
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
            const auto ends = at + word.size();
            const auto is_letter = [&](std::size_t i) {
                return i < text.size() &&
                       (std::isalnum(static_cast<unsigned char>(text[i])) != 0 || (text[i] & 0x80) != 0);
            };
            if (!is_letter(at - 1) && !is_letter(ends)) {
                return true;
            }
        }
        return false;
    };
    for (const auto& [where, text] : lines_of(language::fr)) {
        for (const char* word : {"tu", "toi", "ton", "tes"}) {
            EXPECT_FALSE(has_word(text, word)) << where << ": " << text;
        }
    }
    for (const auto& [where, text] : lines_of(language::nl)) {
        for (const char* word : {"je", "jij", "jou", "jouw", "jullie"}) {
            EXPECT_FALSE(has_word(text, word)) << where << ": " << text;
        }
    }
}

void write(std::ostream& out, const diagnosis_words& words) {
    out << words.sure << ": " << words.headline << '\n' << words.acts << ": " << words.advice << '\n';
    for (const auto& clue : words.because) {
        out << "- " << clue << '\n';
    }
    out << '\n';
}

// scripts/generate writes it anew.
TEST(texts, diagnoses_and_pages_are_those_of_the_golden_file) {
    const auto time = *parse_rfc3339("2026-05-01T07:05:00Z");
    std::ostringstream all;
    for (const auto l : all_languages) {
        for (std::size_t f = 0; f < finding_count; ++f) {
            diagnosis d;
            d.what = static_cast<finding>(f);
            d.how_sure = static_cast<likelihood>(f % 3);
            all << to_text(l) << ' ' << to_text(d.what) << '\n';
            write(all, describe(d, "anna@example.org", l));
        }
        diagnosis with_clues;
        for (std::size_t k = 0; k < clue_kind_count; ++k) {
            with_clues.because.push_back({static_cast<clue::kind>(k), 1, time});
            with_clues.because.push_back({static_cast<clue::kind>(k), 1017, time});
        }
        all << to_text(l) << " clues\n";
        write(all, describe(with_clues, "anna@example.org", l, *zone::find("Europe/Paris")));
        allow_list_facts f;
        f.domains = {"vendor.example"};
        f.addresses = {"badges@vendor.example"};
        f.servers = {"smtp.vendor.example"};
        f.returns = return_path_kind::any_of_domain;
        f.return_path = "bounces.vendor.example";
        f.dkim_domain = "vendor.example";
        f.contact = "support@vendor.example";
        all << to_text(l) << " page\n" << allow_list_page(f, l) << '\n';
        f.ips = {"192.0.2.10", "192.0.2.11"};
        f.returns = return_path_kind::as_sender;
        all << to_text(l) << " page with addresses\n" << allow_list_page(f, l) << '\n';
        const auto mail = test_mail(l, "1a2b3c4d");
        all << to_text(l) << " test mail\n" << mail.subject << '\n' << mail.text << "\n\n";
    }
    const std::string path = ESTAFETTE_SOURCE_DIR "/tests/unit/verdict/advice.golden.txt";
    if (std::getenv("ESTAFETTE_REGENERATE")) {
        std::ofstream{path} << all.str();
    }
    std::ifstream file{path};
    const std::string golden{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_TRUE(golden == all.str()) << "texts have changed: run scripts/generate and read the diff";
}

}  // namespace
}  // namespace estafette::verdict
