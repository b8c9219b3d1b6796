// Rule files of operators: refused with a place or compiled; and what is compiled reads any reply
// without failing anybody for a fault of the sender or the route.
#include "estafette/verdict/classifier.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace estafette;
using namespace estafette::verdict;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

void classify(const classifier& c, std::string_view text) {
    for (const auto at : {smtp::phase::banner, smtp::phase::mail, smtp::phase::rcpt, smtp::phase::dot}) {
        for (const int code : {421, 450, 503, 550}) {
            smtp::outcome what;
            what.at = at;
            what.answer = smtp::reply{code, smtp::enhanced_code::parse("5.7.1"), std::string{text}, false};
            const auto v = c.classify({what, "mx.example.org", "generic"});
            require(is_meaningful(v.why, v.fault, v.what));
            require(v.what != disposition::fail || (code == 550 && at >= smtp::phase::mail));
            require(v.what != disposition::fail || (v.fault != scope::route && v.fault != scope::sender));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view all{reinterpret_cast<const char*>(data), size};
    // What stands behind a NUL is the reply.
    const auto border = all.find('\0');
    const std::vector<rule_file> files{{"rules.yaml", std::string{all.substr(0, border)}}};
    const auto compiled = classifier::compile(files);
    const auto text = border == all.npos ? all : all.substr(border + 1);
    if (compiled)
        classify(*compiled, text);
    else
        require(compiled.error().starts_with("rules.yaml:"));
    static const auto standard = classifier::standard();
    classify(standard, text);
    return 0;
}
