#include "journal_reading.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace estafette::store {

namespace {

constexpr std::string_view suffix = ".segment";
constexpr std::size_t digits = 20;

std::optional<std::uint64_t> number_of(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    std::uint64_t number = 0;
    if (name.size() != digits + suffix.size() || !name.ends_with(suffix)) {
        return std::nullopt;
    }
    const auto [end, ec] = std::from_chars(name.data(), name.data() + digits, number);
    return ec == std::errc{} && end == name.data() + digits ? std::optional{number} : std::nullopt;
}

// As much as can be read of the file; nothing where it cannot be opened.
std::optional<std::string> content_of(const std::string& path, std::uint64_t from, std::uint64_t length) {
    std::ifstream in{path, std::ios::binary};
    std::string bytes;
    if (!in || !in.seekg(static_cast<std::streamoff>(from))) {
        return std::nullopt;
    }
    bytes.resize(length);
    in.read(bytes.data(), static_cast<std::streamsize>(length));
    bytes.resize(static_cast<std::size_t>(in.gcount()));
    return bytes;
}

std::string batches(std::uint64_t first, std::uint64_t end) {
    const std::uint64_t last = end - 1;
    return first == last ? "batch " + std::to_string(first)
                         : "batches " + std::to_string(first) + " to " + std::to_string(last);
}

// One byte of a header that is not what it was: there is one way to put it right, and the checksum knows it.
std::optional<segment_header> mend_header(std::string_view bytes) {
    std::string head{bytes.substr(0, segment_header::size)};
    for (char& c : head) {
        const char was = c;
        for (int value = 0; value < 256; ++value) {
            c = static_cast<char>(value);
            if (auto header = decode_header(head)) {
                return *header;
            }
        }
        c = was;
    }
    return std::nullopt;
}

}  // namespace

journal_reading::journal_reading(std::string folder, std::uint64_t applied)
    : folder_{std::move(folder)}
    , applied_{applied} {}

std::vector<std::string> journal_reading::files(const std::string& folder) {
    std::vector<std::string> paths;
    std::error_code failure;
    std::filesystem::directory_iterator it{folder, failure};
    for (; !failure && it != std::filesystem::directory_iterator{}; it.increment(failure)) {
        if (number_of(it->path())) {
            paths.push_back(it->path().string());
        }
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

void journal_reading::add(const std::string& path, std::uint64_t offset, std::string what) {
    holes_.push_back({{path, offset, std::move(what)}, 0, 0, {}});
}

void journal_reading::read(const record_taker& take, const progress& tell) {
    read_headers();
    std::uint64_t total = 0, done = 0;
    for (const known& k : order_) {
        total += k.size;
    }
    for (std::size_t place = 0; place < order_.size(); ++place) {
        tell("journal", done, total);
        read_segment(place, take);
        done += order_[place].size;
    }
    tell("journal", total, total);
}

void journal_reading::read_headers() {
    const auto paths = files(folder_);
    for (const std::string& path : paths) {
        read_header(path, path == paths.back());
    }
    const auto by_sequence = [](const known& a, const known& b) {
        return a.header.first_sequence != b.header.first_sequence
                   ? a.header.first_sequence < b.header.first_sequence
                   : a.path < b.path;
    };
    if (!std::is_sorted(order_.begin(), order_.end(), by_sequence)) {
        for (std::size_t i = 1; i < order_.size(); ++i) {
            if (order_[i].header.first_sequence < order_[i - 1].header.first_sequence) {
                add(order_[i].path, 0, "it is older than the segment before it");
            }
        }
        std::sort(order_.begin(), order_.end(), by_sequence);
    }
}

void journal_reading::read_header(const std::string& path, bool is_newest) {
    std::error_code failure;
    const std::uint64_t size = std::filesystem::file_size(path, failure);
    const auto head = content_of(path, 0, segment_header::size);
    if (failure || !head) {
        add(path, 0, "it cannot be read");
        return;
    }
    const auto header = decode_header(*head);
    if (header) {
        if (header->number != number_of(path)) {
            add(path, 0, "it is another segment under this name");
        }
        order_.push_back({path, *header, size});
        return;
    }
    if (header.error() == errc::store_newer) {
        is_newer_ = true;
        add(path, 0, header.error().message());
        return;
    }
    const auto all = content_of(path, 0, size);
    const bool is_empty = all && all->find_first_not_of('\0', segment_header::size) == std::string::npos;
    if (is_newest && is_empty) {
        return;  // a crash while it was made: it holds nothing
    }
    add(path, 0, "the header is not readable");
    if (const auto mended = mend_header(*head)) {
        order_.push_back({path, *mended, size});
    } else if (all) {
        holes_.back().said = read_damaged(*all, segment_header::size, all->size());
    }
}

void journal_reading::read_segment(std::size_t place, const record_taker& take) {
    const known& k = order_[place];
    auto content = content_of(k.path, 0, k.size);
    if (!content) {
        add(k.path, 0, "it cannot be read");
        return;
    }
    segment s{k.path, k.header, std::move(*content)};
    if (s.bytes.size() < k.size) {
        add(k.path, s.bytes.size(), "it cannot be read from here on");
    }
    // Segments that the ledger has, and of which nothing waits, go in any order.
    if (end_ && *end_ < s.header.first_sequence && s.header.first_sequence > applied_ + 1) {
        hole lost{{k.path, 0, batches(*end_, s.header.first_sequence) + " before it: missing"}, *end_, 0, {}};
        lost.end = s.header.first_sequence;
        holes_.push_back(std::move(lost));
    }
    segment_reader reader{s.bytes, s.header};
    read_records(s, reader, take);
    while (const auto behind = reader.find_record_behind()) {
        const std::uint64_t expected = reader.next_sequence();
        const std::uint64_t from = reader.offset();
        reader.skip_to(*behind);
        add_hole(s, {from, *behind}, {expected, reader.next_sequence()});
        read_records(s, reader, take);
    }
    const bool is_last = place + 1 == order_.size();
    const std::uint64_t follows = is_last ? 0 : order_[place + 1].header.first_sequence;
    if (follows > reader.next_sequence() && follows > applied_ + 1) {
        add_hole(s, {reader.offset(), s.bytes.size()}, {reader.next_sequence(), follows});
        end_ = follows;
    } else {
        end_ = std::max(end_.value_or(0), reader.next_sequence());
    }
}

void journal_reading::read_records(const segment& s, segment_reader& reader, const record_taker& take) {
    while (const auto record = reader.next()) {
        auto changes = decode_record(*record);
        if (!changes) {
            hole lost{{s.path, record->offset, "the record's content is not readable"}, 0, 0, {}};
            lost.first = record->sequence;
            lost.end = record->sequence + 1;
            lost.said = read_damaged(s.bytes, record->offset, reader.offset());
            holes_.push_back(std::move(lost));
        } else if (record->sequence > last_taken_) {
            last_taken_ = record->sequence;
            take(s, *record, std::move(*changes));
        }
    }
}

void journal_reading::add_hole(const segment& s, span bytes, span sequences) {
    hole lost;
    const bool counts = sequences.end > sequences.begin;
    lost.where = {
        s.path,
        bytes.begin,
        counts ? batches(sequences.begin, sequences.end) + ": not readable"
               : "a record out of order follows at offset " + std::to_string(bytes.end)
    };
    lost.first = sequences.begin;
    lost.end = counts ? sequences.end : 0;
    lost.said = read_damaged(s.bytes, bytes.begin, bytes.end);
    holes_.push_back(std::move(lost));
}

std::optional<std::uint64_t> journal_reading::begin() const noexcept {
    return order_.empty() ? std::nullopt : std::optional{order_.front().header.first_sequence};
}

bool journal_reading::has(std::int64_t segment) const noexcept {
    return std::any_of(order_.begin(), order_.end(), [&](const known& k) {
        return k.header.number == static_cast<std::uint64_t>(segment);
    });
}

std::optional<std::string> journal_reading::read_body(std::int64_t segment, std::uint64_t offset) const {
    for (const known& k : order_) {
        if (k.header.number != static_cast<std::uint64_t>(segment)) {
            continue;
        }
        const auto head = content_of(k.path, offset, body_header::size);
        const auto header = decode_body_header(head.value_or(std::string{}));
        if (!header || header->length > k.size) {
            continue;
        }
        auto body = content_of(k.path, offset + body_header::size, header->length);
        if (body && fits(*header, *body)) {
            return body;
        }
    }
    return std::nullopt;
}

}  // namespace estafette::store
