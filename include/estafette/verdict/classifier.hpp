// Outcome → verdict, by rules that are data (conf/rules/*.yaml): ordered, first match wins, compiled
// once into RE2::Set. What has no reply (timeout, TLS, DNS) is decided by the error code alone.
// No rule can make a fault of the sender or the route fail a recipient, or a 4xx fail anything.
// Thread: one; classify() counts what no rule matched.
#pragma once

#include "estafette/base/embedded.hpp"
#include "estafette/base/error.hpp"
#include "estafette/verdict/verdict.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace estafette {

// The rule files compiled into the program.
[[nodiscard]] std::span<const embedded_file> embedded_verdict();

}  // namespace estafette

namespace estafette::verdict {

struct rule_file {
    std::string name;     // shown in errors: a path
    std::string content;  // YAML

    bool operator==(const rule_file&) const = default;
};

class classifier {
public:
    // All files, in the order of their names without the folders: a file of the operator's can come
    // before ours, and stands in for one of the same name that was given before it. On failure the
    // message is "FILE:LINE: what is wrong".
    [[nodiscard]] static boost::system::result<classifier, std::string>
    compile(std::span<const rule_file> files);

    // The embedded rules. They are tested, so failing to compile them is a bug.
    [[nodiscard]] static classifier standard();

    classifier(classifier&&) noexcept;
    classifier& operator=(classifier&&) noexcept;
    ~classifier();

    [[nodiscard]] verdict classify(const evidence& e) const;

    // The rules in their order, for tables and documentation.
    struct rule_summary {
        std::string id;
        reason why = reason::other;
        std::optional<scope> fault;       // where the rule says it itself
        std::optional<disposition> what;  // the same
    };

    [[nodiscard]] std::vector<rule_summary> summary() const;

    // An unmatched 4xx is retried and an unmatched 5xx fails, both as `other`; they are counted and the
    // most recent distinct ones kept (≤ 1,000), for people to write rules from.
    struct unmatched_reply {
        std::string text;  // "550 5.7.99 …" printable; of a group, the one that came first
        int code = 0;
        std::uint64_t count = 0;
        std::string server;                  // that said it last, where known
        std::optional<wall_time> seen_at{};  // the last time, where evidence told the time
    };

    // The most frequent first.
    [[nodiscard]] std::vector<unmatched_reply> unmatched() const;

    // All that were counted, also those whose text is no longer kept.
    [[nodiscard]] std::uint64_t unmatched_count() const noexcept;

    // From now on other rules. What was counted stays counted; of the replies kept, those stay that the
    // new rules do not know either.
    void adopt(classifier next);

private:
    struct rules;
    explicit classifier(std::unique_ptr<rules> r);
    std::unique_ptr<rules> rules_;
};

}  // namespace estafette::verdict
