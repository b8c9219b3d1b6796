#include "profile.hpp"

#include "estafette/base/text.hpp"
#include "estafette/config/config.hpp"

#include <array>
#include <cassert>

namespace estafette::config {

namespace {

// Where a route's options may not come from a profile: they are the operator's alone.
constexpr std::array<std::string_view, 4> operators_own{"servers", "profile", "helo", "allow_private"};

std::string_view stem(std::string_view file) noexcept {
    file = file.substr(file.rfind('/') + 1);
    return file.ends_with(".yaml") ? file.substr(0, file.size() - 5) : file;
}

// Every fact has its source and the month it was read there.
void check_notes(const yaml::node& notes, yaml::errors& out) {
    static constexpr std::array<std::string_view, 3> known{"text", "source", "checked"};
    for (const yaml::node& note : notes.items()) {
        out.add_unknown_keys(note, "notes", known);
        for (const std::string_view key : known) {
            const yaml::node* value = note.find(key);
            if (value == nullptr || !value->is_scalar() || value->scalar().empty())
                out.add(note, "notes", "has no " + std::string{key});
        }
    }
    if (!notes.is_sequence())
        out.add(notes, "notes", "not a list");
}

}  // namespace

void profile_set::add(const std::string& file, std::string_view content, yaml::errors& out) {
    static constexpr std::array<std::string_view, 3> known{"description", "defaults", "notes"};
    const auto tree = yaml::parse(content, file);
    if (!tree)
        return out.add(tree.error());
    if (!tree->is_map())
        return out.add(*tree, "", "not a section of keys and values");
    out.add_unknown_keys(*tree, "", known);
    profile p;
    if (const yaml::node* description = tree->find("description"))
        p.description = description->scalar();
    if (const yaml::node* defaults = tree->find("defaults")) {
        if (!defaults->is_map() && !defaults->is_null())
            out.add(*defaults, "defaults", "not a section of keys and values");
        for (const std::string_view key : operators_own) {
            if (const yaml::node* found = defaults->find(key))
                out.add(*found, yaml::join("defaults", key), "not for a profile to say");
        }
        p.defaults = *defaults;
    }
    if (const yaml::node* notes = tree->find("notes"))
        check_notes(*notes, out);
    profiles_.insert_or_assign(std::string{stem(file)}, std::move(p));
}

const profile* profile_set::find(std::string_view name) const {
    const auto found = profiles_.find(name);
    return found == profiles_.end() ? nullptr : &found->second;
}

const profile_set& embedded_profiles() {
    static const profile_set set = [] {
        yaml::errors faults;
        profile_set all;
        for (const embedded_file& file : embedded_config())
            all.add(std::string{file.path}, file.content, faults);
        assert(faults.empty());
        return all;
    }();
    return set;
}

std::vector<profile_summary> profiles() {
    std::vector<profile_summary> out;
    for (const auto& [name, profile] : embedded_profiles().all())
        out.push_back({name, profile.description});
    return out;
}

}  // namespace estafette::config
