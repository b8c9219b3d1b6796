#include "journal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <random>

namespace estafette::store {

namespace {

using opened = boost::system::result<void, open_error>;

constexpr std::string_view suffix = ".segment";
constexpr std::size_t most_open = 64;
constexpr std::size_t digits = 20;

// Zeros are written so far ahead of small records; large ones are not worth writing twice.
constexpr std::uint64_t zeros_ahead = 512u << 10;
constexpr std::size_t large_record = 128u << 10;

bool is_no_space(const error_code& e) noexcept {
    return e == boost::system::errc::no_space_on_device ||
           e == error_code{EDQUOT, boost::system::system_category()};
}

// Too many open files, here or on the machine: for a while.
bool is_no_descriptor(const error_code& e) noexcept {
    return e == boost::system::errc::too_many_files_open ||
           e == boost::system::errc::too_many_files_open_in_system;
}

std::optional<std::int64_t> number_of(const std::string& name) {
    std::int64_t number = 0;
    if (name.size() != digits + suffix.size() || !name.ends_with(suffix)) {
        return std::nullopt;
    }
    const auto [end, ec] = std::from_chars(name.data(), name.data() + digits, number);
    return ec == std::errc{} && end == name.data() + digits ? std::optional{number} : std::nullopt;
}

open_error damaged(const std::string& path, std::uint64_t offset, const std::string& what) {
    return {errc::store_damaged, path + ": damaged at offset " + std::to_string(offset) + ": " + what};
}

std::uint64_t random_salt() {
    std::random_device source;
    return (static_cast<std::uint64_t>(source()) << 32) | source();
}

}  // namespace

journal::journal(file_layer& files, std::string folder, std::uint64_t segment_size)
    : files_{files}
    , folder_{std::move(folder)}
    , segment_size_{segment_size} {}

std::string journal::path_of(std::int64_t number) const {
    const std::string text = std::to_string(number);
    return folder_ + "/" + std::string(digits - text.size(), '0') + text + std::string{suffix};
}

opened journal::open(std::uint64_t applied, const replayed& take) {
    if (const auto ec = files_.make_folder(folder_)) {
        return open_error{errc::io, folder_ + ": " + ec.message()};
    }
    const auto parent = folder_.substr(0, folder_.rfind('/'));
    if (const auto ec = files_.sync_folder(parent)) {
        return open_error{errc::io, parent + ": " + ec.message()};
    }
    if (auto read = read_headers(); !read) {
        return read;
    }
    if (auto checked = check_order(applied); !checked) {
        return checked;
    }
    next_sequence_ = applied + 1;
    for (auto it = segments_.begin(); it != segments_.end(); ++it) {
        const auto next = std::next(it);
        const bool is_newest = next == segments_.end();
        if (is_newest || next->second.header.first_sequence > applied + 1) {
            if (auto scanned = scan(it->first, applied, take); !scanned) {
                return scanned;
            }
        }
    }
    return {};
}

opened journal::read_headers() {
    auto names = files_.list(folder_);
    if (!names) {
        return open_error{errc::io, folder_ + ": " + names.error().message()};
    }
    std::vector<std::int64_t> numbers;
    for (const std::string& name : *names) {
        if (const auto number = number_of(name)) {
            numbers.push_back(*number);
        }
    }
    std::sort(numbers.begin(), numbers.end());
    for (const std::int64_t number : numbers) {
        const std::string path = path_of(number);
        last_number_ = number;
        auto content = files_.open(path);
        auto bytes =
            content ? (*content)->read_at(0, segment_header::size) : result<std::string>{content.error()};
        if (!bytes) {
            return open_error{errc::io, path + ": " + bytes.error().message()};
        }
        const auto header = decode_header(*bytes);
        if (header) {
            if (header->number != static_cast<std::uint64_t>(number)) {
                return damaged(path, 0, "it is another segment under this name");
            }
            segments_.emplace(number, segment{*header, nullptr});
            continue;
        }
        if (header.error() == errc::store_newer) {
            return open_error{errc::store_newer, path + ": " + header.error().message()};
        }
        // A crash while the newest one was made leaves a file without header and without records.
        const auto size = (*content)->size();
        const auto rest = (*content)->read_at(0, size ? static_cast<std::size_t>(*size) : 0);
        const bool is_empty =
            rest && rest->find_first_not_of('\0', segment_header::size) == std::string::npos;
        if (number != numbers.back() || !is_empty) {
            return damaged(path, 0, "the header is not readable");
        }
        if (const auto ec = files_.remove(path)) {
            return open_error{errc::io, path + ": " + ec.message()};
        }
    }
    return {};
}

// Batches after `applied` must all be there: no segment may be missing between them.
opened journal::check_order(std::uint64_t applied) const {
    if (segments_.empty()) {
        return {};
    }
    const auto& [number, oldest] = *segments_.begin();
    if (oldest.header.first_sequence > applied + 1) {
        return damaged(path_of(number), 0, "the batches before it are missing, and the ledger has them not");
    }
    for (auto it = segments_.begin(), next = std::next(it); next != segments_.end(); it = next++) {
        if (next->second.header.first_sequence < it->second.header.first_sequence) {
            return damaged(path_of(next->first), 0, "it is older than the segment before it");
        }
    }
    return {};
}

opened journal::scan(std::int64_t number, std::uint64_t applied, const replayed& take) {
    const auto it = segments_.find(number);
    const auto next = std::next(it);
    const std::string path = path_of(number);
    const auto content = content_of(number);
    const auto size = content ? (*content)->size() : result<std::uint64_t>{content.error()};
    const auto bytes =
        size ? (*content)->read_at(0, static_cast<std::size_t>(*size)) : result<std::string>{size.error()};
    if (!bytes) {
        return open_error{errc::io, path + ": " + bytes.error().message()};
    }
    segment_reader reader{*bytes, it->second.header};
    while (const auto record = reader.next()) {
        if (record->sequence <= applied) {
            continue;
        }
        const auto changes = decode_record(*record);
        if (!changes) {
            return damaged(path, record->offset, "the record's content is not readable");
        }
        for (const logged_change& c : *changes) {
            take(record->sequence, number, c);
        }
    }
    const std::uint64_t end = reader.next_sequence();
    if (next != segments_.end()) {
        if (next->second.header.first_sequence != end) {
            return damaged(path, reader.offset(), "records are missing");
        }
    } else if (const auto behind = reader.find_record_behind()) {
        return damaged(path, reader.offset(), "a good record follows at offset " + std::to_string(*behind));
    } else if (end <= applied) {
        // What the ledger has was synced here before.
        return damaged(
            path, reader.offset(), "the ledger has batch " + std::to_string(applied) + ", missing here"
        );
    }
    next_sequence_ = std::max(next_sequence_, end);
    return {};
}

result<journal::appended> journal::append(std::span<const change> batch) {
    if (has_failed_) {
        return errc::store_failed;
    }
    // Encoded for the present segment, and again where it does not fit into it: the salt is another.
    appended done;
    done.sequence = next_sequence_;
    for (;;) {
        const std::uint64_t salt = current_ ? current_->header.salt : 0;
        buffer_.clear();
        done.bodies = encode_record(buffer_, next_sequence_, salt, batch);
        if (current_ && offset_ + buffer_.size() <= capacity_) {
            break;
        }
        if (const auto ec = roll(buffer_.size())) {
            return ec;
        }
    }
    if (const auto ec = write_record()) {
        return fail(path_of(last_number_), "write", ec);
    }
    const auto written_at = std::chrono::steady_clock::now();
    if (const auto ec = current_->content->sync()) {
        return fail(path_of(last_number_), "sync", ec);
    }
    last_sync_ = std::chrono::steady_clock::now() - written_at;
    for (auto& body : done.bodies) {
        if (body) {
            *body += offset_;
        }
    }
    done.segment = static_cast<std::int64_t>(current_->header.number);
    offset_ += buffer_.size();
    ++next_sequence_;
    if (buffer_.capacity() > segment_size_ / 4) {
        std::string{}.swap(buffer_);
    }
    return done;
}

// The first write to a block that was only allocated changes the file's structure, and the sync then waits
// for the filesystem's own journal. So small records go where zeros were written before.
error_code journal::write_record() {
    if (const auto ec = current_->content->write_at(offset_, buffer_)) {
        return ec;
    }
    const std::uint64_t end = offset_ + buffer_.size();
    if (end <= written_) {
        return {};
    }
    written_ = end;
    if (buffer_.size() >= large_record) {
        return {};
    }
    const std::uint64_t ahead = std::min(zeros_ahead, capacity_ - end);
    const auto ec = current_->content->write_at(end, std::string(ahead, '\0'));
    written_ += ec ? 0 : ahead;
    return is_no_space(ec) ? error_code{} : ec;  // where blocks are not kept, records may still find room
}

// The old segment stays as it is; a new one is ready when its name and header are durable.
error_code journal::roll(std::uint64_t needed) {
    segment_header h;
    h.number = static_cast<std::uint64_t>(last_number_ + 1);
    h.first_sequence = next_sequence_;
    h.salt = random_salt();
    const std::uint64_t length = std::max(segment_size_, segment_header::size + needed);
    const std::string path = path_of(last_number_ + 1);
    auto made = make_segment(path, h, length);
    if (!made) {
        const bool is_short_of_files = is_no_descriptor(made.error());
        if (!is_no_space(made.error()) && !is_short_of_files) {
            return fail(path, "create", made.error());
        }
        const auto removed = files_.remove(path);
        const bool is_gone = !removed || removed == boost::system::errc::no_such_file_or_directory;
        if (!is_gone) {
            return fail(path, "remove", removed);
        }
        return is_short_of_files ? errc::store_busy : errc::store_full;
    }
    if (const auto old = segments_.find(last_number_); old != segments_.end() && old->second.content) {
        note_open(last_number_);
    }
    ++last_number_;
    current_ = &segments_.emplace(last_number_, segment{h, std::move(*made)}).first->second;
    offset_ = written_ = segment_header::size;
    capacity_ = length;
    return {};
}

result<std::unique_ptr<file>>
journal::make_segment(const std::string& path, const segment_header& h, std::uint64_t length) {
    auto content = files_.create(path);
    if (!content) {
        return content.error();
    }
    error_code ec = (*content)->allocate(length);
    ec = ec ? ec : (*content)->write_at(0, encode_header(h));
    ec = ec ? ec : (*content)->sync();
    ec = ec ? ec : files_.sync_folder(folder_);
    if (ec) {
        return ec;
    }
    return content;
}

error_code journal::fail(const std::string& path, const char* call, const error_code& why) {
    has_failed_ = true;
    if (problem_.empty()) {
        problem_ = path + ": " + call + ": " + why.message();
    }
    return errc::store_failed;
}

result<std::string> journal::read_body(std::int64_t number, std::uint64_t offset, std::size_t likely) {
    const auto it = segments_.find(number);
    if (it == segments_.end()) {
        return errc::not_found;
    }
    const auto content = content_of(number);
    if (!content) {
        return is_no_descriptor(content.error()) ? errc::store_busy : errc::store_failed;
    }
    const bool is_growing = current_ == &it->second;
    const auto end = is_growing ? offset_ : std::numeric_limits<std::uint64_t>::max();
    auto body = ahead_.read(number, **content, offset, body_header::size + likely, end);
    if (!body) {
        return errc::store_failed;
    }
    const auto header = decode_body_header(std::string_view{*body}.substr(0, body_header::size));
    if (!header) {
        return header.error();
    }
    body->erase(0, body_header::size);
    if (header->length <= body->size()) {
        body->resize(header->length);
    } else {
        body = (*content)->read_at(offset + body_header::size, header->length);
        if (!body) {
            return errc::store_failed;
        }
    }
    if (!fits(*header, *body)) {
        return errc::store_damaged;
    }
    return body;
}

// Never the newest, also where a process has yet to begin its own: the ledger names it, and its absence
// means that somebody took the journal away.
std::vector<journal::sealed> journal::all_sealed() const {
    std::vector<sealed> all;
    for (auto it = segments_.begin(); it != segments_.end(); ++it) {
        const auto next = std::next(it);
        if (next != segments_.end()) {
            all.push_back({it->first, next->second.header.first_sequence - 1});
        }
    }
    return all;
}

void journal::seal() noexcept {
    current_ = nullptr;
}

error_code journal::drop(std::int64_t number) {
    if (has_failed_) {
        return errc::store_failed;
    }
    const std::string path = path_of(number);
    segments_.erase(number);
    ahead_.forget(number);
    std::erase(open_, number);
    if (const auto ec = files_.remove(path)) {
        return fail(path, "remove", ec);
    }
    if (const auto ec = files_.sync_folder(folder_)) {
        return fail(folder_, "sync", ec);
    }
    return {};
}

// Of the segments of long ago only a few are open at a time.
result<file*> journal::content_of(std::int64_t number) {
    segment& wanted = segments_.at(number);
    if (!wanted.content) {
        auto opened = files_.open(path_of(number));
        if (!opened) {
            return opened.error();
        }
        wanted.content = std::move(*opened);
        note_open(number);
    }
    return wanted.content.get();
}

void journal::note_open(std::int64_t sealed) {
    if (std::find(open_.begin(), open_.end(), sealed) != open_.end()) {
        return;
    }
    open_.push_back(sealed);
    if (open_.size() > most_open) {
        segments_.at(open_.front()).content.reset();
        open_.pop_front();
    }
}

}  // namespace estafette::store
