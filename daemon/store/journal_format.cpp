#include "estafette/store/journal_format.hpp"

#include "codec.hpp"
#include "crc32c.hpp"
#include "journal_changes.hpp"

#include <algorithm>

namespace estafette::store {

namespace {

constexpr std::string_view segment_magic = "ESTJRNL\n";
constexpr std::uint32_t segment_version = 1;
constexpr std::uint32_t record_magic = 0x31434552;  // "REC1"
constexpr std::size_t checksum_place = 20;
constexpr std::size_t alignment = 8;
constexpr std::uint32_t most_changes = 1u << 20;

constexpr std::size_t aligned(std::size_t n) noexcept {
    return (n + alignment - 1) / alignment * alignment;
}

// Over the salt, the record's header up to the checksum, and the payload.
std::uint32_t checksum_of(std::uint64_t salt, std::string_view header, std::string_view payload) {
    std::string seed;
    encoder{seed}.put(salt);
    return crc32c(payload, crc32c(header.substr(0, checksum_place), crc32c(seed)));
}

void patch_u32(std::string& out, std::size_t place, std::uint32_t v) {
    for (std::size_t i = 0; i < 4; ++i) {
        out[place + i] = static_cast<char>(v >> (8 * i));
    }
}

}  // namespace

std::string encode_header(const segment_header& h) {
    std::string bytes;
    encoder e{bytes};
    e.put_raw(segment_magic);
    e.put(segment_version);
    e.put(std::uint32_t{0});
    e.put(h.number);
    e.put(h.first_sequence);
    e.put(h.salt);
    bytes.resize(segment_header::size - 4);
    e.put(crc32c(bytes));
    return bytes;
}

result<segment_header> decode_header(std::string_view bytes) {
    try {
        decoder d{bytes.substr(0, segment_header::size)};
        if (d.raw(segment_magic.size()) != segment_magic) {
            return errc::store_damaged;
        }
        const std::uint32_t version = d.u32();
        (void)d.u32();
        segment_header h;
        h.number = d.u64();
        h.first_sequence = d.u64();
        h.salt = d.u64();
        (void)d.raw(segment_header::size - 4 - d.offset());
        // The checksum has its place in every version: a damaged version is no newer one.
        if (d.u32() != crc32c(bytes.substr(0, segment_header::size - 4))) {
            return errc::store_damaged;
        }
        if (version > segment_version) {
            return errc::store_newer;
        }
        return h;
    } catch (const bad_encoding&) {
        return errc::store_damaged;
    }
}

std::vector<std::optional<std::uint64_t>>
encode_record(std::string& out, std::uint64_t sequence, std::uint64_t salt, std::span<const change> batch) {
    const std::size_t start = out.size();
    encoder e{out};
    e.put(record_magic);
    e.put(std::uint32_t{0});  // the payload's length
    e.put(sequence);
    e.put(static_cast<std::uint32_t>(batch.size()));
    e.put(std::uint32_t{0});  // the checksum
    auto bodies = encode_changes(out, batch);
    const std::size_t length = out.size() - start - record_header_size;
    patch_u32(out, start + 4, static_cast<std::uint32_t>(length));
    const std::string_view record = std::string_view{out}.substr(start);
    const std::uint32_t checksum = checksum_of(salt, record, record.substr(record_header_size));
    patch_u32(out, start + checksum_place, checksum);
    out.resize(start + aligned(out.size() - start));
    return bodies;
}

result<body_header> decode_body_header(std::string_view bytes) {
    try {
        decoder d{bytes};
        body_header h;
        h.length = d.u32();
        h.checksum = d.u32();
        return h;
    } catch (const bad_encoding&) {
        return errc::store_damaged;
    }
}

bool fits(const body_header& h, std::string_view body) noexcept {
    return body.size() == h.length && crc32c(body) == h.checksum;
}

std::vector<change> read_damaged(std::string_view segment, std::uint64_t from, std::uint64_t to) {
    std::vector<change> said;
    const std::uint64_t end = std::min<std::uint64_t>(to, segment.size());
    for (std::uint64_t at = from; at < end;) {
        const std::string_view rest = segment.substr(at, end - at);
        if (rest.size() < record_header_size || decoder{rest}.u32() != record_magic) {
            at += alignment;
            continue;
        }
        decoder d{rest.substr(4)};
        const std::size_t length = std::min<std::size_t>(d.u32(), rest.size() - record_header_size);
        for (change& c : decode_readable(rest.substr(record_header_size, length))) {
            said.push_back(std::move(c));
        }
        at += aligned(record_header_size + length);
    }
    return said;
}

std::optional<segment_record> segment_reader::record_at(std::uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < record_header_size) {
        return std::nullopt;
    }
    const std::string_view rest = bytes_.substr(offset);
    decoder d{rest};
    if (d.u32() != record_magic) {
        return std::nullopt;
    }
    const std::uint32_t length = d.u32();
    segment_record r;
    r.sequence = d.u64();
    r.changes = d.u32();
    const std::uint32_t checksum = d.u32();
    if (rest.size() - record_header_size < length || r.changes > most_changes) {
        return std::nullopt;
    }
    r.offset = offset;
    r.payload = rest.substr(record_header_size, length);
    if (checksum != checksum_of(header_.salt, rest, r.payload)) {
        return std::nullopt;
    }
    return r;
}

std::optional<segment_record> segment_reader::next() {
    auto r = record_at(offset_);
    if (!r || r->sequence != next_sequence_) {
        return std::nullopt;
    }
    offset_ += aligned(record_header_size + r->payload.size());
    ++next_sequence_;
    return r;
}

std::optional<std::uint64_t> segment_reader::find_record_behind() const {
    for (std::uint64_t at = offset_; at < bytes_.size(); at += alignment) {
        // Zeros are what the file was made of: most of the way.
        if (bytes_[at] != '\0' && record_at(at)) {
            return at;
        }
    }
    return std::nullopt;
}

void segment_reader::skip_to(std::uint64_t offset) {
    if (const auto r = record_at(offset)) {
        offset_ = offset;
        next_sequence_ = r->sequence;
    }
}

}  // namespace estafette::store
