#include "local_names.hpp"

#include "raw_message.hpp"

#include "estafette/base/text.hpp"
#include "estafette/base/yaml.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace estafette::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* default_file = "/etc/estafette/estafette.yaml";
constexpr const char* default_socket = "/run/estafette/api.sock";

bool has_domain(std::string_view name) {
    return name.find('@') != std::string_view::npos && !name.ends_with('"');
}

// Debian keeps the name that mail of this machine bears here.
std::string mail_name() {
    std::ifstream in{"/etc/mailname"};
    std::string line;
    std::getline(in, line);
    return std::string{trim(line)};
}

std::string machine_name() {
    char name[256]{};
    return gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

// The file with those of conf.d, or what is wrong.
boost::system::result<yaml::node, std::string> read_tree(const fs::path& file) {
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{file.parent_path() / "conf.d", none}) {
        const std::string name = entry.path().filename().string();
        if (name.ends_with(".yaml") && !name.starts_with('.')) {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    files.insert(files.begin(), file);
    yaml::node root;
    for (const fs::path& one : files) {
        std::ifstream in{one, std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        if (!in.is_open() || in.bad()) {
            return one.string() + " cannot be read";
        }
        const auto tree = yaml::parse(text, one.string());
        if (!tree) {
            return tree.error();
        }
        root = yaml::merged(root, *tree);
    }
    return root;
}

std::string text_of(const yaml::node& root, std::string_view key) {
    const yaml::node* found = root.find(key);
    return found == nullptr ? "" : found->scalar();
}

std::string socket_of(const yaml::node& root) {
    const yaml::node* listeners = root.find("listen");
    return listeners == nullptr || listeners->items().empty() ? ""
                                                              : text_of(listeners->items().front(), "unix");
}

}  // namespace

boost::system::result<std::vector<std::string>, std::string> local_names::expand(std::string_view written
) const {
    std::vector<std::string> out;
    for (const auto& span : find_addresses(written)) {
        const std::string_view address = written.substr(span.offset, span.size);
        std::string whole;
        if (const auto alias = aliases.find(ascii_lower(address)); alias != aliases.end()) {
            whole = alias->second;
        } else if (has_domain(address) || has_domain_for_all) {
            whole = complete(address);
        } else {
            return std::string{address};
        }
        if (std::ranges::find(out, whole) == out.end()) {
            out.push_back(std::move(whole));
        }
    }
    return out;
}

std::string local_names::complete(std::string_view name) const {
    std::string out{name};
    if (!has_domain(name)) {
        out += "@" + domain;
    }
    return out;
}

local_names load_local_names(const console& io) {
    local_names out;
    const auto tree = read_tree(io.environment("ESTAFETTE_CONFIG").value_or(default_file));
    if (tree) {
        out.domain = text_of(*tree, "default_domain");
        out.has_domain_for_all = !out.domain.empty();
        if (const yaml::node* aliases = tree->find("aliases")) {
            for (const yaml::member& alias : aliases->members()) {
                out.aliases[ascii_lower(alias.key)] = alias.value.scalar();
            }
        }
        out.socket = socket_of(*tree);
    } else {
        out.complaint = tree.error() + ": aliases and default_domain are unknown";
        out.has_domain_for_all = true;  // better an address of this machine than no mail
    }
    for (const auto& fallback : {mail_name, machine_name}) {
        if (out.domain.empty()) {
            out.domain = fallback();
        }
    }
    if (out.socket.empty()) {
        out.socket = default_socket;
    }
    out.socket = io.environment("ESTAFETTE_SOCKET").value_or(out.socket);
    return out;
}

}  // namespace estafette::cli
