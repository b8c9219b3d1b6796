#include "estafette/bounce/keys.hpp"

#include "estafette/base/text.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace estafette::bounce {

namespace {

std::string new_secret() {
    std::array<unsigned char, 32> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
        return {};
    }
    return base64_encode({reinterpret_cast<const char*>(random.data()), random.size()});
}

// On disk before the first return path is signed with it. Empty: done; else what went wrong.
std::string write_secret(const std::string& file, const std::string& secret) {
    const std::string line = secret + "\n";
    const std::string fresh = file + ".new";
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fresh + ": " + std::strerror(errno);
    }
    const bool is_written =
        ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(fd) == 0;
    const int failure = errno;
    ::close(fd);
    if (!is_written) {
        return fresh + ": " + std::strerror(failure);
    }
    return ::rename(fresh.c_str(), file.c_str()) == 0 ? "" : file + ": " + std::strerror(errno);
}

}  // namespace

boost::system::result<mail::verp_keys, std::string> load_keys(const config::config& c) {
    std::vector<std::string> secrets;
    for (const std::string& file : c.bounces.secrets) {
        auto secret = config::read_secret(file);
        if (!secret || secret->empty()) {
            return "bounces.secrets: cannot read " + file;
        }
        secrets.push_back(std::move(*secret));
    }
    if (!secrets.empty()) {
        return mail::verp_keys{std::move(secrets)};
    }
    const std::string file = c.store.path + "/verp.secret";
    const bool is_kept = c.store.engine != "memory";
    if (is_kept && ::access(file.c_str(), F_OK) == 0) {
        auto secret = config::read_secret(file);
        if (!secret || secret->empty()) {
            return file + ": cannot be read";
        }
        secrets.push_back(std::move(*secret));
        return mail::verp_keys{std::move(secrets)};
    }
    secrets.push_back(new_secret());
    if (secrets.front().empty()) {
        return std::string{"no random numbers for a new secret"};
    }
    const std::string wrong = is_kept ? write_secret(file, secrets.front()) : "";
    if (!wrong.empty()) {
        return wrong;
    }
    return mail::verp_keys{std::move(secrets)};
}

boost::system::result<provider_secrets, std::string> load_secrets(const config::config& c) {
    using answer = boost::system::result<provider_secrets, std::string>;
    provider_secrets out;
    out.ses_topic = c.bounces.ses_topic;
    const std::pair<const std::string&, std::string&> wanted[]{
        {c.bounces.ses_certificate, out.ses_certificate},
        {c.bounces.mailgun, out.mailgun_key},
        {c.bounces.postmark, out.postmark_token},
        {c.bounces.sendgrid, out.sendgrid_key},
        {c.bounces.brevo, out.brevo_token},
    };
    for (const auto& [file, value] : wanted) {
        if (file.empty()) {
            continue;
        }
        auto secret = config::read_secret(file);
        if (!secret || secret->empty()) {
            return answer{boost::system::in_place_error, "bounces: cannot read " + file};
        }
        value = std::move(*secret);
    }
    return out;
}

}  // namespace estafette::bounce
