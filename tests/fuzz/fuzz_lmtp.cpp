// The LMTP machine: whatever comes, in whatever pieces, it says the same and stays within its limits.
#include "check.hpp"

#include "estafette/bounce/lmtp.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

using namespace estafette;

namespace {

struct played {
    std::string out;
    std::string mails;
};

played play(std::string_view bytes, std::size_t size, const bounce::lmtp_limits& limits) {
    bounce::lmtp machine{"host", limits};
    played p;
    bool ends = false;
    while (!bytes.empty() && !ends) {
        auto piece = bytes.substr(0, size);
        bytes.remove_prefix(piece.size());
        while (!piece.empty() && !ends) {
            auto s = machine.feed(piece);
            ESTAFETTE_CHECK(s.used > 0 && s.used <= piece.size());
            piece.remove_prefix(s.used);
            p.out += s.out;
            ends = s.ends;
            if (s.mail) {
                ESTAFETTE_CHECK(!s.mail->to.empty() && s.mail->to.size() <= limits.recipients);
                ESTAFETTE_CHECK(!s.mail->content.empty() && s.mail->content.size() <= limits.kept);
                for (const auto& to : s.mail->to)
                    p.mails += to + "\n";
                p.mails += s.mail->content;
                p.out += machine.answer(std::vector<std::string>(s.mail->to.size(), "250 ok"));
            }
        }
    }
    return p;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    bounce::lmtp_limits limits;
    limits.kept = 512;
    limits.mail = 4096;
    limits.line = 256;
    limits.recipients = 3;
    const std::string_view all{reinterpret_cast<const char*>(data), size};
    const auto whole = play(all, std::max<std::size_t>(size, 1), limits);
    const auto pieces = play(all, 1 + (size % 7), limits);
    ESTAFETTE_CHECK(whole.out == pieces.out && whole.mails == pieces.mails);
    return 0;
}
