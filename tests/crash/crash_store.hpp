// What the lives of crash_store share: what they say, their options, their store.
#pragma once

#include "estafette/store/local_engine.hpp"
#include "estafette/store/slate.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace estafette::crash {

struct options {
    std::string folder;
    std::uint64_t first = 1;
    std::size_t connections = 50;
    std::uint64_t reserve = 0;
    bool no_sync = false, early = false, deletes_early = false;
};

// A line on standard output, whole, by one write: what was said before the kill was said.
void say(char what, std::uint64_t n, const std::string& more = {});

[[nodiscard]] message_id id_of(std::uint64_t n);
[[nodiscard]] std::uint64_t number_of(const message_id& id);
[[nodiscard]] wall_time now();

// Mail n of `size` bytes, one recipient, for a tenant of seven.
[[nodiscard]] store::change mail_of(std::uint64_t n, std::size_t size);
[[nodiscard]] store::change outcome_of(
    recipient_id who,
    store::state next,
    verdict::disposition what,
    verdict::reason why,
    milliseconds later = {}
);

struct life {
    std::uint64_t segment_size = 512u << 10;
    bool has_threads = true;
};

[[nodiscard]] std::unique_ptr<store::engine> open(const options& o, const life& how = {});
[[nodiscard]] store::slate open_slate(const options& o);

// Lives of their own: they return the exit code.
int live_by_script(const options& o);
int fill(const options& o);
int verify(const options& o);

}  // namespace estafette::crash
