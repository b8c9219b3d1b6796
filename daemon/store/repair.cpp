#include "book.hpp"
#include "check.hpp"
#include "folder_hold.hpp"
#include "journal_reading.hpp"
#include "ledger_check.hpp"
#include "salvage.hpp"

#include "estafette/store/tools.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace estafette::store {

namespace {

constexpr std::size_t changes_per_step = 2048;
constexpr const char* author = "store repair";

void sync_folder(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)::fsync(fd);
        ::close(fd);
    }
}

// Puts together a store that is whole from what is left of one that is not.
class repair {
public:
    repair(std::string path, std::string aside, wall_time now, const progress& tell, repair_report& report)
        : path_{std::move(path)}
        , aside_{std::move(aside)}
        , now_{now}
        , tell_{tell}
        , report_{report}
        , journal_{path_ + "/journal", applied_of(path_ + "/ledger.db").value_or(0)} {}

    void run(const std::vector<damage>& findings) {
        const std::string old = path_ + "/ledger.db";
        const bool is_ledger_damaged =
            std::any_of(findings.begin(), findings.end(), [&](const damage& f) { return f.file == old; });
        const std::string ledger_path = is_ledger_damaged ? aside_ + "/ledger.new" : old;
        if (is_ledger_damaged) {
            salvaged rows = salvage_ledger(old, ledger_path);
            applied_ = rows.applied;
            report_.lost.insert(report_.lost.end(), rows.lost.begin(), rows.lost.end());
        }
        fill(ledger_path, is_ledger_damaged);
        {
            // Nothing of it is in the journal any more.
            database tidy{ledger_path, database::access::read_write};
            tidy.execute(
                "PRAGMA synchronous = FULL; DELETE FROM segment; DELETE FROM meta WHERE name = 'segment';"
                "PRAGMA wal_checkpoint(TRUNCATE)"
            );
        }
        for (const std::string& segment : journal_reading::files(path_ + "/journal")) {
            move(segment, "journal/");
        }
        if (is_ledger_damaged) {
            for (const char* end : {"", "-wal", "-shm"}) {
                move(old + end, "");
            }
            std::filesystem::rename(ledger_path, old);
        }
        const std::string slate = path_ + "/slate";
        if (std::any_of(findings.begin(), findings.end(), [&](const auto& f) { return f.file == slate; })) {
            move(slate, "");
            report_.lost.push_back(
                "the marks of mail in doubt: what was under way at the end may be sent twice"
            );
        }
        for (const std::string& folder : {aside_, path_ + "/journal", path_}) {
            sync_folder(folder);
        }
    }

private:
    void move(const std::string& file, const std::string& into) {
        std::error_code failure;
        if (!std::filesystem::exists(file, failure)) {
            return;
        }
        std::filesystem::create_directories(aside_ + "/" + into);
        std::filesystem::rename(file, aside_ + "/" + into + std::filesystem::path{file}.filename().string());
        report_.moved.push_back(file);
    }

    // All that the journal has goes to the ledger, which is whole alone then.
    void fill(const std::string& path, bool is_rebuilt) {
        ledger rows{path, ledger::syncing::at_commit};
        book pages{rows, book::bodies::kept};
        if (!is_rebuilt || applied_) {
            applied_ = rows.numbers_at_open().applied;
        }
        std::uint64_t last = applied_.value_or(0);
        const std::uint64_t known = last;
        journal_.read(
            [&](const auto& s, const segment_record& record, const std::vector<logged_change>& changes) {
                if (record.sequence <= known) {
                    return;
                }
                for (const logged_change& c : changes) {
                    apply(pages, s, c);
                }
                last = record.sequence;
                if (pages.pending() >= changes_per_step) {
                    pages.flush(last);
                }
            },
            tell_
        );
        const std::int64_t newest = rows.numbers_at_open().segment;
        if ((newest != 0 && !journal_.has(newest)) || journal_.end().value_or(known + 1) <= known) {
            report_.lost.push_back(
                "segments of the journal are missing; what came after batch " + std::to_string(known) +
                ": nothing of it can be told"
            );
        }
        last = std::max(last, journal_.end().value_or(1) - 1);
        pages.flush(last);
        move_bodies(rows, pages, path);
        name_lost_batches(pages, known);
        pages.flush(last);
    }

    void apply(book& pages, const journal_reading::segment& s, const logged_change& c) {
        const auto* mail = std::get_if<enqueued>(&c.what);
        if (!mail) {
            (void)pages.apply(c.what, {});
            return;
        }
        enqueued again = *mail;
        again.claimed = false;
        body_place place;
        if (c.body) {
            const std::string_view rest = std::string_view{s.bytes}.substr(*c.body);
            const auto head = decode_body_header(rest);
            auto message = std::make_shared<mail::message>(*mail->message);
            message->body =
                std::make_shared<const std::string>(rest.substr(body_header::size, head ? head->length : 0));
            again.message = std::move(message);
            place = {body_place::in_ledger, 0};
        }
        (void)pages.apply(again, place);
    }

    // Contents that mail of the ledger has in the journal; and those that are nowhere any more.
    void move_bodies(ledger& rows, book& pages, const std::string& path) {
        std::vector<message_id> readable, lost;
        database look{path, database::access::read_only};
        statement s{
            look,
            "SELECT id, body_in, body_offset FROM message WHERE body_in > 0 OR (body_in = 0 AND NOT EXISTS"
            " (SELECT 1 FROM body b WHERE b.message = message.no)) OR (body_in IS NULL AND completed_at IS "
            "NULL)"
        };
        for (s.start(); s.step();) {
            message_id::bytes_type id{};
            std::copy_n(s.text(0).begin(), id.size(), id.begin());
            const auto where = s.maybe_integer(1);
            const bool is_in_journal = where && *where > 0;
            const auto offset = static_cast<std::uint64_t>(s.integer(2));
            const bool is_good = is_in_journal && journal_.read_body(*where, offset).has_value();
            (is_good ? readable : lost).emplace_back(id);
        }
        for (std::size_t at = 0; at < readable.size(); at += changes_per_step) {
            const std::size_t count = std::min(changes_per_step, readable.size() - at);
            pages.move_bodies(std::span{readable}.subspan(at, count), [&](const message_row& row) {
                return journal_.read_body(*row.body.where, static_cast<std::uint64_t>(row.body.offset))
                    .value();
            });
        }
        for (const message_id& id : lost) {
            give_up(rows, pages, id);
        }
    }

    // Mail without content can go nowhere: its recipients that wait have failed, and it says why.
    void give_up(ledger& rows, book& pages, const message_id& id) {
        message_row* row = pages.find(id);
        if (!row) {
            return;
        }
        std::string named;
        row->body.where.reset();
        for (std::uint32_t place = 0; place < row->recipients.size(); ++place) {
            attempted c{{id, place}, state::failed, std::nullopt, {}};
            c.what.started_at = now_;
            c.what.judged.what = verdict::disposition::fail;
            c.what.judged.fault = verdict::scope::message;
            c.what.judged.why = verdict::reason::other;
            c.what.text = "the content was lost with a damaged file of the store";
            if (pages.apply(c, {})) {
                named += (named.empty() ? "" : ", ") + std::to_string(place);
            }
        }
        if (named.empty()) {
            rows.begin();
            rows.erase_body(*row);
            rows.commit(pages.numbers());
        } else {
            report_.lost.push_back(
                "the content of message " + id.text() + ": recipients " + named + " have failed"
            );
        }
    }

    void name_lost_batches(book& pages, std::uint64_t known) {
        for (const hole& h : journal_.holes()) {
            const bool is_in_ledger = h.end != 0 && h.end <= known + 1;
            if (is_in_ledger) {
                continue;
            }
            if (h.said.empty() && h.first != 0) {
                report_.lost.push_back(h.where.what + ": nothing of it can be told");
            }
            for (const change& c : h.said) {
                name_lost(pages, c);
            }
        }
    }

    void name_lost(book& pages, const change& c) {
        if (const auto* mail = std::get_if<enqueued>(&c)) {
            if (!pages.find(mail->message->id)) {
                std::string to;
                for (const mail::address& a : mail->message->to) {
                    to += (to.empty() ? "" : ", ") + std::string{a.text()};
                }
                report_.lost.push_back("message " + mail->message->id.text() + " to " + to);
            }
            return;
        }
        if (const auto* tried = std::get_if<attempted>(&c)) {
            const message_row* row = pages.find(tried->who.message);
            if (row && tried->who.index < row->recipients.size() && tried->what.number != 0 &&
                row->recipients[tried->who.index].at.attempts >= tried->what.number) {
                return;  // the ledger has it
            }
            // It may have been sent: nobody but a person can say that it goes again.
            const std::string what{to_text(tried->next)};
            const held hold{
                tried->who, now_, verdict::reason::uncertain, author, "its outcome was lost: " + what
            };
            const bool is_held = pages.apply(hold, {});
            report_.lost.push_back(
                "the outcome of " + tried->who.text() + ": " + what + (is_held ? "; it is held now" : "")
            );
            return;
        }
        report_.lost.push_back("a change of a recipient or a route by a person or by the clock");
    }

    std::string path_, aside_;
    wall_time now_;
    const progress& tell_;
    repair_report& report_;
    journal_reading journal_;
    std::optional<std::uint64_t> applied_;
};

std::string folder_name(wall_time now) {
    std::string name = "aside-" + to_rfc3339(now);
    std::erase_if(name, [](char c) { return c == ':' || c == '.'; });
    return name;
}

}  // namespace

outcome<repair_report>
repair_store(const std::string& path, wall_time now, const repair_consent& agrees, const progress& tell) {
    const auto hold = folder_hold::take(path);
    if (!hold) {
        return hold.error();
    }
    const auto before = check_files(path, tell);
    if (!before) {
        return before.error();
    }
    repair_report report;
    report.findings = before->findings;
    if (report.findings.empty() || !agrees(report.findings)) {
        return report;
    }
    report.aside = path + "/" + folder_name(now);
    try {
        std::filesystem::create_directory(report.aside);
        std::filesystem::permissions(report.aside, std::filesystem::perms::owner_all);
        repair{path, report.aside, now, tell, report}.run(report.findings);
    } catch (const ledger_error& e) {
        return open_error{e.code, path + "/ledger.db: " + e.code.message() + " (" + e.what + ")"};
    } catch (const std::filesystem::filesystem_error& e) {
        return open_error{errc::io, e.what()};
    }
    const auto after = check_files(path, tell);
    if (!after || !after->findings.empty()) {
        return after ? open_error{errc::store_damaged, after->findings.front().text()} : after.error();
    }
    return report;
}

}  // namespace estafette::store
