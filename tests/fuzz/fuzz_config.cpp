// A configuration: whatever comes, errors are single printable lines with file and line, and what is
// accepted is printed as text that is read back as the same.
#include "estafette/base/text.hpp"
#include "estafette/config/config.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace estafette;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

config::machine fixed_machine() {
    config::machine m;
    m.hostname = "host.example";
    m.find_user = [](const std::string& name) -> std::optional<std::uint32_t> {
        return name == "root" ? std::optional<std::uint32_t>{0} : std::nullopt;
    };
    m.find_group = m.find_user;
    return m;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const config::machine machine = fixed_machine();
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto c = config::parse(text, "FILE", machine);
    if (!c) {
        require(!c.error().empty());
        for (const std::string& line : c.error())
            require(line.starts_with("FILE:") && printable(line, line.size()) == line);
        return 0;
    }
    const auto again = config::parse(config::print(*c), "FILE", machine);
    require(again.has_value());
    require(config::differences(*c, *again).empty());
    return 0;
}
