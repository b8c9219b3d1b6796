#include "estafette/base/log.hpp"

#include "log_sink.hpp"

#include "estafette/base/text.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

namespace estafette::log {

namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};

// The one accepted global: everybody writes to it, and nothing but the log reads it.
struct outlet {
    std::atomic<level> least{level::info};
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<bool> is_open{false};
    std::mutex guard;  // of what follows
    std::shared_ptr<sink> to;
    bool redacts = false;
};

outlet& the_outlet() noexcept {
    static outlet instance;
    return instance;
}

// Tells addresses apart without telling them: 48 bits of SHA-256.
std::string redacted(std::string_view address) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    const std::string folded = ascii_lower(address);
    EVP_Digest(folded.data(), folded.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    std::string out = "sha256:";
    for (std::size_t i = 0; i < 6; ++i) {
        static constexpr std::string_view digits = "0123456789abcdef";
        out += digits[digest[i] >> 4];
        out += digits[digest[i] & 0x0F];
    }
    return out;
}

bool needs_quotes(std::string_view value) noexcept {
    return value.empty() || value.find_first_of(" \"=\\") != std::string_view::npos;
}

void append_value(std::string& out, std::string_view value) {
    if (!needs_quotes(value)) {
        out += value;
        return;
    }
    out += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    out += '"';
}

}  // namespace

std::string_view to_text(level l) noexcept {
    return level_names[static_cast<std::size_t>(l)];
}

level parse_level(std::string_view text) noexcept {
    const auto found = std::find(level_names.begin(), level_names.end(), text);
    return found == level_names.end() ? level::info : static_cast<level>(found - level_names.begin());
}

std::string field::text() const {
    if (const auto* number = std::get_if<std::int64_t>(&value_))
        return std::to_string(*number);
    if (const auto* number = std::get_if<std::uint64_t>(&value_))
        return std::to_string(*number);
    return printable(std::get<std::string_view>(value_));
}

std::string entry::line() const {
    std::string out = "event=";
    append_value(out, name);
    for (const auto& [key, value] : fields) {
        out += ' ';
        out += key;
        out += '=';
        append_value(out, value);
    }
    return out;
}

void configure(const options& o) {
    std::shared_ptr<sink> to;
    if (o.to == target::journal || (o.to == target::automatic && is_standard_error_the_journal()))
        to = open_journal(o.journal_socket, o.program);
    if (!to)
        to = open_standard_error();
    outlet& out = the_outlet();
    const std::lock_guard lock{out.guard};
    out.to = std::move(to);
    out.redacts = o.redact_addresses;
    out.least = o.least;
    out.is_open = true;
}

bool is_on(level l) noexcept {
    const outlet& out = the_outlet();
    return l >= out.least.load(std::memory_order_relaxed) && out.is_open.load(std::memory_order_relaxed);
}

void event(
    level l, std::string_view name, std::initializer_list<field> fields, std::string_view catalogue_id
) {
    if (!is_on(l))
        return;
    entry e{l, name, catalogue_id, {}};
    e.fields.reserve(fields.size());
    outlet& out = the_outlet();
    const std::lock_guard lock{out.guard};
    if (!out.to)
        return;
    for (const field& f : fields)
        e.fields.emplace_back(f.key(), f.is_address() && out.redacts ? redacted(f.text()) : f.text());
    if (!out.to->write(e))
        out.dropped.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t dropped() noexcept {
    return the_outlet().dropped.load(std::memory_order_relaxed);
}

namespace {

class memory_sink final : public sink {
public:
    bool write(const entry& e) override {
        lines.push_back(e.line());
        return true;
    }

    std::vector<std::string> lines;
};

}  // namespace

struct capture::state {
    std::shared_ptr<memory_sink> memory = std::make_shared<memory_sink>();
    std::shared_ptr<sink> former;
    level former_least = level::info;
    bool was_open = false;
};

capture::capture()
    : state_{std::make_unique<state>()} {
    outlet& out = the_outlet();
    const std::lock_guard lock{out.guard};
    state_->former = std::exchange(out.to, state_->memory);
    state_->former_least = out.least.exchange(level::debug);
    state_->was_open = out.is_open.exchange(true);
}

capture::~capture() {
    outlet& out = the_outlet();
    const std::lock_guard lock{out.guard};
    out.to = std::move(state_->former);
    out.least = state_->former_least;
    out.is_open = state_->was_open;
}

std::vector<std::string> capture::lines() const {
    const std::lock_guard lock{the_outlet().guard};
    return state_->memory->lines;
}

}  // namespace estafette::log
