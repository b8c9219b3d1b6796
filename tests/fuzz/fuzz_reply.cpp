// The reply parser: any bytes, in any pieces, give the same answers and keep bounded text.
#include "check.hpp"

#include "estafette/smtp/reply.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace estafette;

namespace {

struct outcome {
    std::vector<smtp::reply> replies;
    error_code error;

    bool operator==(const outcome&) const = default;
};

outcome parse(std::string_view bytes, std::size_t piece) {
    outcome all;
    smtp::reply_parser parser{{.line = 64, .kept_lines = 4, .kept_bytes = 96, .total = 512}};
    while (!bytes.empty()) {
        const auto used = parser.feed(bytes.substr(0, piece));
        if (!used) {
            all.error = used.error();
            break;
        }
        ESTAFETTE_CHECK(*used > 0 && *used <= std::min(piece, bytes.size()));
        bytes.remove_prefix(*used);
        if (parser.is_complete()) {
            all.replies.push_back(parser.take());
            const smtp::reply& r = all.replies.back();
            ESTAFETTE_CHECK(r.code >= 200 && r.code <= 559);
            ESTAFETTE_CHECK(r.text.size() <= 96);
            ESTAFETTE_CHECK(std::count(r.text.begin(), r.text.end(), '\n') < 4);
            ESTAFETTE_CHECK(!r.enhanced || r.enhanced->klass == r.code / 100);
            ESTAFETTE_CHECK(!parser.is_partial());
        }
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const outcome whole = parse(bytes, std::max<std::size_t>(size, 1));
    for (const std::size_t piece : {1u, 3u, 17u}) {
        const outcome cut = parse(bytes, piece);
        ESTAFETTE_CHECK(cut.replies == whole.replies);
        ESTAFETTE_CHECK(cut.error == whole.error);
    }
    return 0;
}
