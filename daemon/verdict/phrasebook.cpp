#include "phrasebook.hpp"

#include "estafette/base/yaml.hpp"

#include <optional>
#include <stdexcept>

namespace estafette::verdict {

namespace {

using sentences = std::map<std::string, std::string, std::less<>>;

// Maps become dotted keys; every leaf is a sentence.
void flatten(
    const yaml::node& n,
    const std::string& path,
    std::span<const std::string_view> known,
    sentences& out,
    yaml::errors& errors
) {
    if (n.is_map()) {
        for (const yaml::member& m : n.members()) {
            flatten(m.value, yaml::join(path, m.key), known, out, errors);
        }
        return;
    }
    if (!n.is_scalar() || n.scalar().empty()) {
        errors.add(n, path, "not a sentence");
        return;
    }
    if (const auto wrong = check_template(n.scalar(), known); !wrong.empty()) {
        errors.add(n, path, wrong);
    }
    out.emplace(path, n.scalar());
}

std::optional<language> language_named(std::string_view text) {
    for (std::size_t i = 0; i < language_count; ++i) {
        if (to_text(static_cast<language>(i)) == text) {
            return static_cast<language>(i);
        }
    }
    return std::nullopt;
}

}  // namespace

boost::system::result<phrasebook, std::string>
phrasebook::parse(std::span<const rule_file> files, std::span<const std::string_view> known_facts) {
    phrasebook made;
    for (const rule_file& file : files) {
        const auto root = yaml::parse(file.content, file.name);
        if (!root) {
            return root.error();
        }
        sentences read;
        yaml::errors errors;
        flatten(*root, "", known_facts, read, errors);
        if (!errors.empty()) {
            return errors.lines().front();
        }
        const auto named = language_named(read["language"]);
        if (!named) {
            return file.name + ":1: language must be en, fr or nl";
        }
        made.sentences_[static_cast<std::size_t>(*named)] = std::move(read);
    }
    for (std::size_t i = 0; i < language_count; ++i) {
        for (const auto& of : made.sentences_) {
            for (const auto& [key, sentence] : of) {
                if (!made.sentences_[i].contains(key)) {
                    return "the language " + std::string{to_text(static_cast<language>(i))} + " lacks " + key;
                }
            }
        }
    }
    return made;
}

phrasebook phrasebook::embedded(std::string_view folder, std::span<const std::string_view> known_facts) {
    std::vector<rule_file> files;
    for (const auto& file : embedded_verdict()) {
        if (file.path.starts_with(folder)) {
            files.push_back({std::string{file.path}, std::string{file.content}});
        }
    }
    auto parsed = parse(files, known_facts);
    if (!parsed) {
        throw std::logic_error{parsed.error()};
    }
    return std::move(*parsed);
}

std::string phrasebook::say(language l, std::string_view key, facts values) const {
    const auto& all = sentences_[static_cast<std::size_t>(l)];
    const auto found = all.find(key);
    return found == all.end() ? std::string{} : fill(found->second, values);
}

bool phrasebook::has(std::string_view key) const {
    return sentences_[0].contains(key);
}

}  // namespace estafette::verdict
