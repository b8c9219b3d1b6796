// The reader of tests/sink/scripts/*.smtp (format: tests/sink/scripts/README.md): what a hostile or
// broken server does on a real socket, and what must become of the mail. Throws std::runtime_error
// "FILE:LINE: what is wrong".
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace estafette::test {

struct script_step {
    std::string what;      // "S:", "S!", "C:", "drip", "wait", "content", …
    std::string argument;  // the rest of the line
    int line = 0;
};

struct script {
    std::string name;                            // the file's, and the variant's number
    std::vector<std::string> route;              // words
    std::vector<std::string> limits;             // "banner=200ms"
    std::vector<std::vector<script_step>> acts;  // one per connection; the last serves all later ones
    std::vector<std::string> ends;               // "1.1 dot 250"
};

// For test frameworks, which print parameters.
inline void PrintTo(const script& s, std::ostream* to) {
    *to << s.name;
}

namespace script_reading {

inline std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == std::string_view::npos)
        return {};
    return std::string{text.substr(first, text.find_last_not_of(' ') - first + 1)};
}

inline std::string replaced(std::string text, const std::string& what, const std::string& with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

// \r \n \\ and \xHH
inline std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        ++i;
        if (text[i] == 'x' && i + 2 < text.size()) {
            out += static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
            i += 2;
        } else {
            out += text[i] == 'r' ? '\r' : text[i] == 'n' ? '\n' : text[i];
        }
    }
    return out;
}

inline std::vector<std::string> words(const std::string& text) {
    std::istringstream in{text};
    return {std::istream_iterator<std::string>{in}, {}};
}

struct variant {
    std::string value, end;
};

}  // namespace script_reading

class script_reader {
public:
    // A file is one script, or one per `each` line.
    static std::vector<script> read(const std::filesystem::path& file) {
        std::ifstream in{file};
        return read(in, file.stem().string());
    }

    static std::vector<script> read(std::istream& in, std::string name) {
        script_reader reader{std::move(name)};
        std::string line;
        for (int number = 1; std::getline(in, line); ++number)
            reader.take(line, number);
        return reader.finish();
    }

    // One script, written in a test.
    static script parse(const std::string& text) {
        std::istringstream in{text};
        return read(in, "script").front();
    }

private:
    explicit script_reader(std::string name) { whole_.name = std::move(name); }

    void take(const std::string& line, int number) {
        using namespace script_reading;
        if (line.empty() || line.front() == '#')
            return;
        const auto space = line.find(' ');
        const auto word = line.substr(0, space);
        // What is said may begin or end with spaces; all else may not.
        const bool is_verbatim = word == "S:" || word == "S!" || word == "S*" || word == "drip";
        const auto rest = space == std::string::npos ? std::string{}
                          : is_verbatim              ? line.substr(space + 1)
                                                     : trimmed(line.substr(space + 1));
        if (word == "each") {
            const auto arrow = rest.find("=>");
            variants_.push_back(
                {trimmed(rest.substr(0, arrow)),
                 arrow == std::string::npos ? std::string{} : trimmed(rest.substr(arrow + 2))}
            );
        } else if (word == "route") {
            whole_.route = words(rest);
        } else if (word == "limit") {
            whole_.limits = words(rest);
        } else if (word == "=") {
            whole_.ends.push_back(rest);
        } else if (word == "connection") {
            whole_.acts.emplace_back();
        } else if (is_known(word)) {
            if (whole_.acts.empty())
                whole_.acts.emplace_back();
            whole_.acts.back().push_back({word, rest, number});
        } else {
            throw std::runtime_error{
                whole_.name + ".smtp:" + std::to_string(number) + ": unknown word " + word
            };
        }
    }

    static bool is_known(const std::string& word) {
        static const std::vector<std::string> all{
            "S:",
            "S!",
            "S*",
            "C:",
            "drip",
            "wait",
            "content",
            "tls",
            "deaf",
            "silence",
            "echo",
            "close",
            "rst",
            "serve",
            "hello",
            "half-close",
            "envelope",
            "data"
        };
        return std::find(all.begin(), all.end(), word) != all.end();
    }

    std::vector<script> finish() {
        if (variants_.empty())
            return {whole_};
        std::vector<script> all;
        for (std::size_t i = 0; i < variants_.size(); ++i) {
            auto one = whole_;
            one.name += "_" + std::to_string(i + 1);
            for (auto& act : one.acts)
                for (auto& step : act)
                    step.argument = script_reading::replaced(step.argument, "$1", variants_[i].value);
            for (auto& word : one.route)
                word = script_reading::replaced(word, "$1", variants_[i].value);
            if (!variants_[i].end.empty())
                one.ends.push_back(variants_[i].end);
            all.push_back(std::move(one));
        }
        return all;
    }

    script whole_;
    std::vector<script_reading::variant> variants_;
};

// Every script below `folder`, in the order of their names.
inline std::vector<script> read_scripts(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{folder})
        if (entry.path().extension() == ".smtp")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<script> all;
    for (const auto& file : files)
        for (auto& one : script_reader::read(file))
            all.push_back(std::move(one));
    return all;
}

}  // namespace estafette::test
