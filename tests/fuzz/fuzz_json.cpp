// JSON from callers: what is accepted can be written and read again; a refusal names a
// place inside the text.
#include "check.hpp"

#include "estafette/api/json.hpp"

#include <boost/json/serialize.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto parsed = estafette::api::parse_json(text);
    if (parsed.has_error()) {
        ESTAFETTE_CHECK(parsed.error().offset <= size);
        return 0;
    }
    const auto again = estafette::api::parse_json(boost::json::serialize(*parsed));
    ESTAFETTE_CHECK(again.has_value());
    return 0;
}
