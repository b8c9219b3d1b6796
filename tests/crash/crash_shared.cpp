// What the lives of crash_store share.
#include "crash_store.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace estafette::crash {

using namespace store;

namespace {

// Control: the disk is never asked to keep anything.
class careless_file final : public file {
public:
    explicit careless_file(std::unique_ptr<file> f)
        : file_{std::move(f)} {}

    error_code write_at(std::uint64_t offset, std::string_view bytes) override {
        return file_->write_at(offset, bytes);
    }

    error_code sync() override { return {}; }

    error_code allocate(std::uint64_t length) override { return file_->allocate(length); }

    result<std::string> read_at(std::uint64_t offset, std::size_t length) const override {
        return file_->read_at(offset, length);
    }

    result<std::uint64_t> size() const override { return file_->size(); }

private:
    std::unique_ptr<file> file_;
};

class careless_files final : public file_layer {
public:
    result<std::unique_ptr<file>> create(const std::string& path) override {
        return wrap(disk_->create(path));
    }

    result<std::unique_ptr<file>> open(const std::string& path) override { return wrap(disk_->open(path)); }

    error_code remove(const std::string& path) override { return disk_->remove(path); }

    error_code make_folder(const std::string& path) override { return disk_->make_folder(path); }

    result<std::vector<std::string>> list(const std::string& folder) override { return disk_->list(folder); }

    error_code sync_folder(const std::string&) override { return {}; }

private:
    static result<std::unique_ptr<file>> wrap(result<std::unique_ptr<file>> f) {
        if (!f) {
            return f;
        }
        return std::make_unique<careless_file>(std::move(*f));
    }

    std::unique_ptr<file_layer> disk_ = make_disk_files();
};

}  // namespace

void say(char what, std::uint64_t n, const std::string& more) {
    const std::string line = std::string{what} + " " + std::to_string(n) + more + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) {
        std::_Exit(0);
    }
}

message_id id_of(std::uint64_t n) {
    message_id::bytes_type bytes{};
    bytes[0] = 1;
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[15 - i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
    return message_id{bytes};
}

std::uint64_t number_of(const message_id& id) {
    std::uint64_t n = 0;
    for (std::size_t i = 8; i < 16; ++i) {
        n = n << 8 | id.bytes()[i];
    }
    return n;
}

wall_time now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

change mail_of(std::uint64_t n, std::size_t size) {
    auto m = std::make_shared<mail::message>();
    m->id = id_of(n);
    m->tenant = tenant_id{"t" + std::to_string(n % 7)};
    m->from = mail::address::parse("a@vendor.example").value();
    m->to.push_back(*m->from);
    m->body = std::make_shared<const std::string>(size, 'b');
    m->facts.size = size;
    m->accepted_at = now();
    m->due_at = m->accepted_at;
    m->expires_at = m->accepted_at + std::chrono::hours{24};
    return enqueued{std::move(m), {}, {}, true};
}

change
outcome_of(recipient_id who, state next, verdict::disposition what, verdict::reason why, milliseconds later) {
    attempt a;
    a.started_at = now();
    a.route = route_id{"relay"};
    a.at = smtp::phase::dot;
    a.judged.what = what;
    a.judged.why = why;
    const auto next_attempt = is_final(next) ? std::nullopt : std::optional{a.started_at + later};
    return attempted{who, next, next_attempt, std::move(a)};
}

std::unique_ptr<engine> open(const options& o, const life& how) {
    config::store_options store;
    store.path = o.folder + "/store";
    store.reserve = o.reserve;
    // Small, so that a second of life sees rolls, moved bodies and dropped segments.
    const local_tuning tuning{
        .segment_size = how.segment_size,
        .kept_segments = 1,
        .sparse_below = 256u << 10,
        .flush_changes = 300,
        .flush_bytes = 1u << 20,
        .rows_per_step = 32,
        .bodies_per_step = 64,
        .checkpoints_apart = how.has_threads
    };
    std::unique_ptr<file_layer> files = make_disk_files();
    if (o.no_sync) {
        files = std::make_unique<careless_files>();
    }
    auto opened = open_local_engine(store, std::move(files), tuning);
    if (!opened) {
        std::fprintf(stderr, "%s\n", opened.error().problem.c_str());
        std::exit(74);
    }
    return std::move(*opened);
}

slate open_slate(const options& o) {
    auto opened = slate::open(o.folder + "/store/slate", 1024);
    if (!opened) {
        std::fprintf(stderr, "slate: %s\n", opened.error().message().c_str());
        std::exit(74);
    }
    return std::move(*opened);
}

}  // namespace estafette::crash
