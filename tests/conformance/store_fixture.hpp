// What the tests of all engines share: an engine on a folder of its own, reopened at will, and short
// ways to say changes.
#pragma once

#include "support/temporary_folder.hpp"

#include "estafette/store/engine.hpp"
#include "estafette/store/local_engine.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

namespace estafette::store::test {

// As the bytes of a segment below which it is emptied.
inline constexpr std::uint64_t everything = std::uint64_t{0} - 1;

inline wall_time at(std::int64_t second) {
    return from_unix_ms(1'700'000'000'000 + second * 1000);
}

inline message_id id_of(std::uint32_t n) {
    message_id::bytes_type bytes{};
    bytes[0] = 1;
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[15 - i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
    return message_id{bytes};
}

inline recipient_id rcpt(std::uint32_t message, std::uint32_t index = 0) {
    return {id_of(message), index};
}

struct mail_of {
    std::uint32_t n = 1;
    std::vector<std::string> to{"ann@customer.example"};
    std::string tenant = "acme";
    std::int64_t accepted = 0;
    std::int64_t due = 0;
    mail::priority precedence = mail::priority::transactional;
    std::string body = "Subject: hello\r\n\r\nworld\r\n";
    std::string idempotency_key;
    bool claimed = false;

    operator change() const {  // NOLINT: a shorthand for lists of changes
        auto m = std::make_shared<mail::message>();
        m->id = id_of(n);
        m->tenant = tenant_id{tenant};
        m->from = mail::address::parse("badges@vendor.example").value();
        for (const std::string& address : to) {
            m->to.push_back(mail::address::parse(address).value());
        }
        m->facts = {body.size(), 14, false, true, true};
        m->body = std::make_shared<const std::string>(body);
        m->subject = "hello é";
        m->header_message_id = "<" + std::to_string(n) + "@vendor.example>";
        m->accepted_at = at(accepted);
        m->due_at = at(due);
        m->expires_at = at(accepted + 86400);
        m->precedence = precedence;
        m->category = "badge";
        m->group = "g";
        m->key = "k" + std::to_string(n);
        m->tags = {"one", "two \"quoted\""};
        m->metadata = R"({"a":1})";
        m->require_tls = true;
        m->reports = {mail::dsn_request::content::full, "case 7+=", mail::dsn_request::failure, false};
        return enqueued{std::move(m), idempotency_key, std::string(32, 'd'), claimed};
    }
};

inline attempt try_of(std::int64_t second, verdict::disposition what, verdict::reason why) {
    attempt a;
    a.started_at = at(second);
    a.duration = milliseconds{250};
    a.route = route_id{"relay"};
    a.server = "smtp.vendor.example:587";
    a.tls = "TLSv1.3, verified";
    a.at = smtp::phase::rcpt;
    a.judged = {what, verdict::scope::recipient, why, seconds{300}, false, "generic/some-rule"};
    a.code = 450;
    a.enhanced = smtp::enhanced_code{4, 2, 0};
    a.text = "come back later";
    return a;
}

inline change relayed(recipient_id who, std::int64_t second) {
    attempt a = try_of(second, verdict::disposition::accepted, verdict::reason::accepted);
    a.at = smtp::phase::dot;
    a.code = 250;
    a.enhanced.reset();
    a.judged.retry_hint.reset();
    return attempted{who, state::relayed, std::nullopt, std::move(a)};
}

inline change deferred(recipient_id who, std::int64_t second, std::int64_t next) {
    return attempted{
        who,
        state::deferred,
        at(next),
        try_of(second, verdict::disposition::retry, verdict::reason::greylisted)
    };
}

inline change failed(recipient_id who, std::int64_t second) {
    return attempted{
        who,
        state::failed,
        std::nullopt,
        try_of(second, verdict::disposition::fail, verdict::reason::unknown_user)
    };
}

inline change uncertain(recipient_id who, std::int64_t second, state next) {
    return attempted{
        who,
        next,
        at(second + 60),
        try_of(second, verdict::disposition::uncertain, verdict::reason::uncertain)
    };
}

class store_of {
public:
    // memory; local; local_in_small_steps: the journal rolls, the ledger follows and bodies move all the
    // time.
    explicit store_of(
        const std::string& kind, const std::filesystem::path& parent = std::filesystem::temp_directory_path()
    )
        : folder_{parent} {
        options_.engine = kind.substr(0, kind.find('_'));
        tuning_.segment_size = 1u << 20;
        if (options_.engine != kind) {
            tuning_ = {
                .segment_size = 4096,
                .kept_segments = 0,
                .sparse_below = everything,
                .flush_changes = 1,
                .rows_per_step = 1,
                .bodies_per_step = 1,
                .checkpoints_apart = false
            };
        }
        options_.path = folder_.path("store");
        options_.reserve = 0;
        open();
    }

    void open() {
        engine_.reset();
        auto opened =
            is_durable() ? open_local_engine(options_, make_disk_files(), tuning_) : open_engine(options_);
        ASSERT_TRUE(opened.has_value()) << opened.error().problem;
        engine_ = std::move(*opened);
    }

    [[nodiscard]] config::store_options& options() { return options_; }
    [[nodiscard]] bool is_durable() const { return options_.engine != "memory"; }

    engine* operator->() { return engine_.get(); }

    effects commit(std::vector<change> changes) {
        auto done = engine_->commit(changes);
        EXPECT_TRUE(done.has_value()) << done.error().message();
        EXPECT_TRUE(engine_->follow().has_value());
        return done ? *done : effects{};
    }

    recipient_view recipient(std::uint32_t message, std::uint32_t index = 0) {
        auto v = engine_->view(id_of(message));
        EXPECT_TRUE(v.has_value());
        return v ? v->recipients.at(index) : recipient_view{};
    }

    state state_of(std::uint32_t message, std::uint32_t index = 0) { return recipient(message, index).now; }

    // The messages of the recipients that are due and get claimed, in order.
    std::vector<recipient_id> claim(
        std::int64_t until,
        std::size_t limit = 100,
        const std::string& tenant = "acme",
        mail::priority p = mail::priority::transactional
    ) {
        std::vector<recipient_id> ids;
        auto due = engine_->claim_due(tenant_id{tenant}, p, at(until), limit);
        EXPECT_TRUE(due.has_value());
        for (const due_entry& entry : *due) {
            ids.push_back(entry.id);
        }
        return ids;
    }

    std::vector<recipient_id> find(const query& q) {
        std::vector<recipient_id> ids;
        const auto found = engine_->find(q);
        EXPECT_TRUE(found.has_value());
        for (const recipient_view& r : found->recipients) {
            ids.push_back(r.id);
        }
        return ids;
    }

private:
    estafette::test::temporary_folder folder_;
    config::store_options options_;
    local_tuning tuning_;
    std::unique_ptr<engine> engine_;
};

}  // namespace estafette::store::test
