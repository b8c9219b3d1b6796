// The journal's reader: any bytes as a segment, as a record's payload, as a body's head.
#include "estafette/store/journal_format.hpp"

#include <cstddef>
#include <cstdint>

using namespace estafette::store;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    (void)decode_header(bytes);
    (void)decode_body_header(bytes);

    segment_reader reader{bytes, segment_header{1, 1, 0}};
    while (const auto record = reader.next()) {
        (void)decode_record(*record);
    }
    if (const auto behind = reader.find_record_behind()) {
        (void)read_damaged(bytes, reader.offset(), *behind);
        reader.skip_to(*behind);
        (void)reader.next();
    }
    (void)read_damaged(bytes, 0, size);

    // The checksum keeps a fuzzer out of the payload: here it is let in.
    if (const auto changes = decode_record({1, 0, bytes, 1})) {
        std::vector<change> again;
        for (const logged_change& c : *changes) {
            again.push_back(c.what);
        }
        std::string encoded;
        (void)encode_record(encoded, 1, 0, again);
    }
    return 0;
}
