// The suppression lists in the ledger.
#include "ledger.hpp"

#include <algorithm>

namespace estafette::store {

namespace {

// Where a page ends: "7 ann@customer.example", the tenant's number and the address.
struct list_place {
    std::int64_t tenant = 0;
    std::string address;
};

result<list_place> parse_place(const std::string& cursor) {
    list_place place;
    if (cursor.empty()) {
        return place;
    }
    const auto space = cursor.find(' ');
    if (space == std::string::npos || space == 0 || space > 12 ||
        cursor.find_first_not_of("0123456789") != space) {
        return errc::cursor_invalid;
    }
    place.tenant = std::stoll(cursor.substr(0, space));
    place.address = cursor.substr(space + 1);
    return place;
}

constexpr const char* line_columns = "since, until, cause, \"by\", text";

suppression read_line(const statement& s, int first, const tenant_id& tenant, std::string address) {
    return {
        tenant,
        std::move(address),
        from_unix_ms(s.integer(first)),
        s.maybe_time(first + 1),
        parse_suppression_cause(s.text(first + 2)).value_or(suppression_cause::manual),
        std::string{s.text(first + 3)},
        std::string{s.text(first + 4)}
    };
}

}  // namespace

void ledger::write(const suppression& line) {
    sql("INSERT OR REPLACE INTO suppression(tenant, address, since, until, cause, \"by\", text)"
        " VALUES (?,?,?,?,?,?,?)")
        .run(
            number_of(line.tenant),
            line.address,
            line.since,
            line.until,
            to_text(line.why),
            line.by,
            line.text
        );
}

void ledger::erase_suppressed(const tenant_id& tenant, const std::string& address) {
    if (const auto no = known_number_of(tenant)) {
        sql("DELETE FROM suppression WHERE tenant = ? AND address = ?").run(*no, address);
    }
}

std::optional<suppression> ledger::find_suppressed(const tenant_id& tenant, const std::string& address) {
    const auto no = known_number_of(tenant);
    if (!no) {
        return std::nullopt;
    }
    statement& s =
        sql(std::string{"SELECT "} + line_columns + " FROM suppression WHERE tenant = ? AND address = ?");
    s.start(*no, address);
    std::optional<suppression> found;
    if (s.step()) {
        found = read_line(s, 0, tenant, address);
    }
    s.reset();
    return found;
}

suppression_page ledger::suppressions(const suppression_query& q) {
    const auto after = parse_place(q.cursor);
    if (!after) {
        throw ledger_error{after.error(), "cursor"};
    }
    std::vector<std::int64_t> wanted;
    for (const tenant_id& tenant : q.tenants) {
        if (const auto no = known_number_of(tenant)) {
            wanted.push_back(*no);
        }
    }
    suppression_page page;
    if (wanted.empty() && !q.tenants.empty()) {
        return page;
    }
    const std::size_t limit = std::clamp<std::size_t>(q.limit, 1, 1000);
    std::string text = std::string{"SELECT tenant, address, "} + line_columns +
                       " FROM suppression WHERE (tenant, address) > (?, ?)";
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        text += i == 0 ? " AND tenant IN (?" : ",?";
    }
    text += wanted.empty() ? "" : ")";
    statement& s = sql(text + " ORDER BY tenant, address LIMIT ?");
    s.start(after->tenant, after->address);
    int place = 2;
    for (const std::int64_t no : wanted) {
        s.bind(++place, no);
    }
    s.bind(++place, std::uint64_t{limit + 1});
    std::int64_t last = 0;
    while (s.step()) {
        if (page.lines.size() == limit) {
            page.next_cursor = std::to_string(last) + " " + page.lines.back().address;
            break;
        }
        last = s.integer(0);
        page.lines.push_back(read_line(s, 2, tenant_of(last), std::string{s.text(1)}));
    }
    s.reset();
    return page;
}

std::size_t ledger::erase_suppressed_until(wall_time now, std::size_t limit) {
    statement& s = sql("SELECT tenant, address FROM suppression INDEXED BY suppression_until"
                       " WHERE until IS NOT NULL AND until <= ? ORDER BY until LIMIT ?");
    std::vector<list_place> over;
    for (s.start(now, std::uint64_t{limit}); s.step();) {
        over.push_back({s.integer(0), std::string{s.text(1)}});
    }
    for (const list_place& line : over) {
        sql("DELETE FROM suppression WHERE tenant = ? AND address = ?").run(line.tenant, line.address);
    }
    return over.size();
}

}  // namespace estafette::store
