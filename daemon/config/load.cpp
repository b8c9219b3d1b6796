#include "parse.hpp"

#include "estafette/base/text.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace estafette::config {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_secret = 4096;

std::optional<std::uint32_t> system_user(const std::string& name) {
    const passwd* found = ::getpwnam(name.c_str());
    return found == nullptr ? std::nullopt : std::optional<std::uint32_t>{found->pw_uid};
}

std::optional<std::uint32_t> system_group(const std::string& name) {
    const group* found = ::getgrnam(name.c_str());
    return found == nullptr ? std::nullopt : std::optional<std::uint32_t>{found->gr_gid};
}

// The text of a file, or an error line.
std::optional<std::string> read_file(const fs::path& file, yaml::errors& out) {
    std::ifstream in{file, std::ios::binary};
    std::ostringstream text;
    if (in && in.peek() != std::ifstream::traits_type::eof())
        text << in.rdbuf();
    if (!in.is_open() || in.bad() || text.fail()) {
        out.add(file.string() + ": cannot be read: " + std::strerror(errno == 0 ? EIO : errno));
        return std::nullopt;
    }
    return text.str();
}

// *.yaml of a folder, sorted by name; none if there is no such folder.
std::vector<fs::path> yaml_files(const fs::path& folder, yaml::errors& out) {
    std::vector<fs::path> files;
    std::error_code failed;
    for (auto i = fs::directory_iterator{folder, failed}; !failed && i != fs::directory_iterator{};
         i.increment(failed)) {
        const std::string name = i->path().filename().string();
        if (name.ends_with(".yaml") && !name.starts_with('.'))
            files.push_back(i->path());
    }
    if (failed && failed != std::errc::no_such_file_or_directory)
        out.add(folder.string() + ": cannot be read: " + failed.message());
    std::sort(files.begin(), files.end());
    return files;
}

yaml::node read_tree(const fs::path& main, yaml::errors& out) {
    std::vector<fs::path> files = yaml_files(main.parent_path() / "conf.d", out);
    files.insert(files.begin(), main);
    yaml::node root;
    for (const fs::path& file : files) {
        const auto text = read_file(file, out);
        if (!text)
            continue;
        auto tree = yaml::parse(*text, file.string(), file_limits);
        if (!tree)
            out.add(tree.error());
        else if (!tree->is_map() && !tree->is_null())
            out.add(*tree, "", "not a section of keys and values");
        else
            root = yaml::merged(root, *tree);
    }
    return root;
}

// What is wrong with a file that holds a secret; empty: nothing.
std::string secret_fault(const std::string& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0)
        return file + ": " + std::strerror(errno);
    if (!S_ISREG(status.st_mode))
        return file + ": not a regular file";
    if ((status.st_mode & S_IROTH) != 0)
        return file + ": readable by everybody; chmod 0600 it";
    const auto secret = read_secret(file);
    if (!secret)
        return file + ": " + (secret.error() == errc::io ? "cannot be read" : sentence(errc::too_large));
    return secret->empty() ? file + ": is empty" : "";
}

std::string readable_fault(const std::string& file) {
    return ::access(file.c_str(), R_OK) == 0 ? "" : file + ": " + std::strerror(errno);
}

struct named_file {
    std::string_view section, key;
    std::string route_options::* file;
    std::string (*fault)(const std::string& file);
};

constexpr named_file named_files[]{
    {"auth", "password_file", &route_options::password_file, secret_fault},
    {"tls", "client_key", &route_options::client_key, secret_fault},
    {"tls", "client_certificate", &route_options::client_certificate, readable_fault},
    {"tls", "ca_file", &route_options::ca_file, readable_fault},
};

struct named_secret {
    std::string_view key;
    std::string bounce_options::* file;
    std::string (*fault)(const std::string& file);
};

constexpr named_secret named_secrets[]{
    {"ses_certificate", &bounce_options::ses_certificate, readable_fault},
    {"mailgun", &bounce_options::mailgun, secret_fault},
    {"postmark", &bounce_options::postmark, secret_fault},
    {"sendgrid", &bounce_options::sendgrid, readable_fault},
    {"brevo", &bounce_options::brevo, secret_fault},
};

fs::path credentials_folder(const fs::path& main) {
    const char* given = std::getenv("CREDENTIALS_DIRECTORY");
    return given != nullptr && *given != '\0' ? fs::path{given} : main.parent_path() / "credentials";
}

void check_files(
    const yaml::node* n, const std::string& path, route_options& o, const fs::path& main, yaml::errors& out
) {
    if (!o.password_file.empty() && fs::path{o.password_file}.is_relative())
        o.password_file = (credentials_folder(main) / o.password_file).string();
    for (const named_file& f : named_files) {
        const std::string& file = o.*f.file;
        const std::string fault = file.empty() ? "" : f.fault(file);
        if (fault.empty())
            continue;
        const yaml::node* section = n == nullptr ? nullptr : n->find(f.section);
        const yaml::node* value = section == nullptr ? nullptr : section->find(f.key);
        out.add(
            value == nullptr ? yaml::node{} : *value, yaml::join(yaml::join(path, f.section), f.key), fault
        );
    }
}

// A list of files of secrets.
void check_secrets(
    const yaml::node* n,
    const std::string& path,
    std::vector<std::string>& files,
    const fs::path& main,
    yaml::errors& out
) {
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (fs::path{files[i]}.is_relative())
            files[i] = (credentials_folder(main) / files[i]).string();
        const std::string fault = secret_fault(files[i]);
        const bool has_place = n != nullptr && i < n->items().size();
        if (!fault.empty())
            out.add(has_place ? n->items()[i] : yaml::node{}, path + '[' + std::to_string(i) + ']', fault);
    }
}

void check_files(const yaml::node& root, config& c, const fs::path& main, yaml::errors& out) {
    const yaml::node* bounces = root.find("bounces");
    const yaml::node* secrets = bounces == nullptr ? nullptr : bounces->find("secrets");
    check_secrets(secrets, "bounces.secrets", c.bounces.secrets, main, out);
    for (const named_secret& s : named_secrets) {
        std::string& file = c.bounces.*s.file;
        if (file.empty())
            continue;
        if (fs::path{file}.is_relative())
            file = (credentials_folder(main) / file).string();
        const std::string fault = s.fault(file);
        const yaml::node* value = bounces == nullptr ? nullptr : bounces->find(s.key);
        if (!fault.empty())
            out.add(value == nullptr ? yaml::node{} : *value, yaml::join("bounces", s.key), fault);
    }
    if (c.relay)
        check_files(root.find("relay"), "relay", *c.relay, main, out);
    const yaml::node* tenants = root.find("tenants");
    for (auto& [name, tenant] : c.tenants) {
        const yaml::node* n = tenants == nullptr ? nullptr : tenants->find(name);
        if (tenant.server)
            check_files(n->find("server"), "tenants." + name + ".server", *tenant.server, main, out);
    }
}

}  // namespace

machine machine::this_one() {
    std::string name(256, '\0');
    if (::gethostname(name.data(), name.size() - 1) != 0)
        name = "localhost";
    name.resize(std::strlen(name.c_str()));
    return {name, ::geteuid(), ::getegid(), system_user, system_group};
}

boost::system::result<config, std::vector<std::string>> load(const std::string& file) {
    const machine host = machine::this_one();
    yaml::errors early;
    profile_set profiles = embedded_profiles();
    const fs::path main = fs::absolute(file);
    for (const fs::path& own : yaml_files(main.parent_path() / "profiles", early)) {
        if (const auto text = read_file(own, early))
            profiles.add(own.string(), *text, early);
    }
    const yaml::node root = read_tree(file, early);
    reading r{host, profiles, std::move(early)};
    config c = build(root, r);
    if (r.errors.empty())
        check_files(root, c, main, r.errors);
    if (!r.errors.empty())
        return r.errors.take();
    return c;
}

result<std::string> read_secret(const std::string& file) {
    std::ifstream in{file, std::ios::binary};
    std::string text(largest_secret + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in.is_open() || in.bad())
        return errc::io;
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > largest_secret)
        return errc::too_large;
    if (text.ends_with('\n'))
        text.pop_back();
    if (text.ends_with('\r'))
        text.pop_back();
    return text;
}

}  // namespace estafette::config
