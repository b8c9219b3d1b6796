// Random lives: the local engine, restarted at random, must do and say exactly what the engine in memory
// does and says, whose containers are its own simple model.
#include "store_fixture.hpp"

#include <rapidcheck/gtest.h>

#include <sstream>

namespace estafette::store {
namespace {

using namespace test;

constexpr std::uint32_t mails = 6;
const std::vector<std::string> tenants{"acme", "globex"};

struct step {
    int verb = 0;
    std::uint32_t mail = 1;
    std::uint32_t place = 0;
    int choice = 0;
};

std::ostream& operator<<(std::ostream& out, const step& s) {
    return out << "{" << s.verb << " mail " << s.mail << "." << s.place << " choice " << s.choice << "}";
}

rc::Gen<step> any_step() {
    return rc::gen::build<step>(
        rc::gen::set(&step::verb, rc::gen::inRange(0, 22)),
        rc::gen::set(&step::mail, rc::gen::inRange<std::uint32_t>(1, mails + 1)),
        rc::gen::set(&step::place, rc::gen::inRange<std::uint32_t>(0, 3)),
        rc::gen::set(&step::choice, rc::gen::inRange(0, 6))
    );
}

std::optional<change> change_of(const step& s, std::int64_t now) {
    const recipient_id who = rcpt(s.mail, s.place);
    const tenant_id globex{"globex"};
    const std::array targets{
        pause_target::of(route_id{"route0"}),
        pause_target::of(globex),
        pause_target::of(globex, ""),
        pause_target::of(globex, "badges@vendor.example"),
    };
    const pause_target& target = targets[static_cast<std::size_t>(s.choice) % targets.size()];
    const auto reason = static_cast<verdict::reason>(s.choice * 4);
    switch (s.verb) {
    case 0:
    case 1:
    case 2:
        return mail_of{
            .n = s.mail,
            .to = s.place == 0 ? std::vector<std::string>{"a@x.example"}
                               : std::vector<std::string>{"a@x.example", "b@x.example"},
            .tenant = tenants[s.choice % 2 == 0 ? 0 : 1],
            .accepted = now,
            .due = now + s.choice * 10 - 10,
            .precedence = s.choice % 3 == 0 ? mail::priority::bulk : mail::priority::transactional,
            .body = std::string(s.mail * 300, 'b'),
            .idempotency_key = s.choice == 5 ? "key" : "",
            .claimed = s.choice == 2
        };
    case 3:
    case 4: return relayed(who, now);
    case 5:
    case 6: return deferred(who, now, now + s.choice * 5);
    case 7: return failed(who, now);
    case 8: return uncertain(who, now, s.choice % 2 == 0 ? state::deferred : state::held);
    case 9: return cancelled{who, at(now), "by", s.choice % 2 == 0 ? "" : "why"};
    case 10: return held{who, at(now), reason, "by", "text"};
    case 11: return released{who, at(now), "by"};
    case 12: return expired{who, at(now)};
    case 13: return corrected{who, at(now), static_cast<finding>(s.choice % 4), {}, "mx", "later", "lines"};
    case 14: return paused{target, at(now), std::nullopt, reason, "text", "by"};
    case 15: return resumed{target, at(now), "by"};
    case 16: return delayed{who, at(now)};
    case 20:
        return category_off{
            tenant_id{tenants[s.choice % 2 == 0 ? 0 : 1]}, "badge", at(now), std::nullopt, "by", "why"
        };
    case 18:
    case 19:
        return erased{who, at(now), "erased-" + std::to_string(s.choice) + "@erased.invalid", "by", "why"};
    case 17: return category_on{tenant_id{tenants[s.choice % 2 == 0 ? 0 : 1]}, "badge", at(now), "by"};
    case 21: return answered{id_of(s.mail), s.choice % 2 == 0 ? "key" : "a@x.example", "digest"};
    default: return std::nullopt;
    }
}

template <class T> std::string text_of(const std::optional<T>& t) {
    if constexpr (std::is_same_v<T, wall_time>) {
        return t ? std::to_string(to_unix_ms(*t)) : "-";
    } else {
        return t ? std::to_string(static_cast<int>(*t)) : "-";
    }
}

void put(std::ostream& out, const event& e) {
    out << e.sequence << " " << to_unix_ms(e.at) << " " << e.type << " " << e.who.text() << " "
        << e.tenant.text() << " " << e.route.text() << " " << e.sender << " " << to_text(e.now) << " " << e.by
        << " " << e.text << " " << (e.what ? e.what->number : 0) << "\n";
}

void put(std::ostream& out, const recipient_view& r) {
    out << r.id.text() << " " << r.tenant.text() << " " << r.address << " " << to_text(r.now) << " "
        << r.attempts << " " << to_unix_ms(r.changed_at) << " " << text_of(r.next_attempt_at) << " "
        << (r.last ? r.last->text + std::to_string(r.last->number) : "-") << " " << text_of(r.why) << " "
        << r.note << "\n";
}

// Everything that can be asked, as text.
std::string picture_of(store_of& store) {
    std::ostringstream out;
    for (std::uint32_t n = 1; n <= mails; ++n) {
        if (const auto v = store->view(id_of(n))) {
            for (const recipient_view& r : v->recipients) {
                put(out, r);
            }
            for (const event& e : v->timeline) {
                put(out, e);
            }
        }
        const auto loaded = store->load(id_of(n));
        out << n << " body " << (loaded ? std::to_string((*loaded)->body->size()) : loaded.error().message())
            << "\n";
    }
    const auto all = store->events(0, 1000).value();
    for (const event& e : all) {
        put(out, e);
    }
    const auto found = store->find({}).value();
    for (const recipient_view& r : found.recipients) {
        put(out, r);
    }
    const auto doubted = store->find({.uncertain_only = true}).value();
    out << "doubted " << doubted.recipients.size() << "\n";
    auto late = store->overdue(at(50), 100).value();
    std::sort(late.begin(), late.end());
    for (const recipient_id& id : late) {
        out << "late " << id.text() << "\n";
    }
    const counts c = store->count().value();
    for (const std::uint64_t count : c.by_state) {
        out << count << " ";
    }
    out << text_of(c.oldest_due) << "\n";
    const auto routes = store->pauses().value();
    for (const pause& p : routes) {
        out << to_text(p.what.kind) << " " << p.what.name << " " << p.what.sender << " "
            << to_unix_ms(p.since) << " " << text_of(std::optional{p.why}) << "\n";
    }
    const auto off = store->categories_off().value();
    for (const switched_off& o : off) {
        out << o.tenant.text() << " " << o.category << " " << to_unix_ms(o.since) << " " << o.by << "\n";
    }
    std::vector<std::string> lines;
    const auto waiting = store->waiting().value();
    for (const waiting_tenant& w : waiting) {
        lines.push_back(
            w.tenant.text() + std::string{mail::to_text(w.precedence)} +
            std::to_string(to_unix_ms(w.earliest_due))
        );
    }
    std::sort(lines.begin(), lines.end());
    for (const std::string& line : lines) {
        out << line << "\n";
    }
    for (const std::string& tenant : tenants) {
        for (const char* key : {"key", "a@x.example"}) {
            const auto known = store->find_idempotent(tenant_id{tenant}, key).value();
            out << (known ? known->message.text() + " " + known->digest : "no key")
                << (known && known->was_there ? " was there\n" : "\n");
        }
    }
    return out.str();
}

std::vector<recipient_id> everybody() {
    std::vector<recipient_id> ids;
    for (std::uint32_t n = 1; n <= mails; ++n) {
        ids.push_back(rcpt(n, 0));
        ids.push_back(rcpt(n, 1));
    }
    return ids;
}

// What is not a change: claims, a purge, settling, a restart.
void do_the_rest(const step& s, std::int64_t now, store_of& model, store_of& store) {
    const std::string& tenant = tenants[s.mail % 2];
    const auto precedence = s.place == 0 ? mail::priority::bulk : mail::priority::transactional;
    switch (s.choice) {
    case 0:
    case 1:
        RC_ASSERT(
            store.claim(now, s.mail, tenant, precedence) == model.claim(now, s.mail, tenant, precedence)
        );
        break;
    case 2: {
        const std::vector<recipient_id> one{rcpt(s.mail, s.place)};
        RC_ASSERT(store->unclaim(one).has_value() == model->unclaim(one).has_value());
        break;
    }
    case 3:
        RC_ASSERT(store->purge(at(now - 60), s.mail).value() == model->purge(at(now - 60), s.mail).value());
        break;
    case 4: RC_ASSERT(store->settle().has_value()); break;
    default:
        store.open();
        (void)model->unclaim(everybody());
        break;
    }
}

void compare(const char* kind) {
    static const std::filesystem::path fast = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
    EXPECT_TRUE(rc::check([kind] {
        store_of model{"memory"};
        store_of store{kind, fast};
        std::int64_t now = 0;
        const auto steps = *rc::gen::container<std::vector<step>>(any_step());
        for (const step& s : steps) {
            now += 7;
            const auto c = change_of(s, now);
            if (c && s.place < 2) {
                const std::vector<change> one{*c};
                RC_ASSERT(store.commit(one) == model.commit(one));
            } else {
                do_the_rest(s, now, model, store);
            }
        }
        RC_ASSERT(picture_of(store) == picture_of(model));
        store.open();
        (void)model->unclaim(everybody());
        RC_ASSERT(picture_of(store) == picture_of(model));
    }));
}

TEST(the_local_engine, does_and_says_what_the_model_does_and_says) {
    compare("local");
}

TEST(the_local_engine, does_so_while_the_journal_rolls_and_the_ledger_follows_at_every_step) {
    compare("local_in_small_steps");
}

}  // namespace
}  // namespace estafette::store
