// The reader of bounces measured on real ones (see corpus_test.cpp).
#include "standard.hpp"

#include "estafette/base/text.hpp"
#include "estafette/verdict/bounce.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace estafette::verdict {
namespace {

std::string read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<std::vector<std::string>> read_table(const std::string& path) {
    std::vector<std::vector<std::string>> rows;
    std::istringstream in{read_file(path)};
    for (std::string line; std::getline(in, line);) {
        std::vector<std::string> cells{""};
        for (const char c : line) {
            if (c == '\t') {
                cells.emplace_back();
            } else {
                cells.back() += c;
            }
        }
        cells.resize(16);
        rows.push_back(std::move(cells));
    }
    return rows;
}

TEST(bounce_corpus, recipients_and_reasons_are_found) {
    const char* folder = std::getenv("ESTAFETTE_CORPUS");
    if (!folder || !*folder) {
        GTEST_SKIP() << "ESTAFETTE_CORPUS is not set: the real bounces are not part of the repository";
    }
    const std::string base{folder};
    const bool is_verbose = std::getenv("ESTAFETTE_CORPUS_MISSES") != nullptr;
    std::map<std::string, std::set<std::string>> categories;
    for (const auto& row : read_table(base + "/map.tsv")) {
        std::istringstream list{row[2]};
        for (std::string one; std::getline(list, one, ',');) {
            categories[row[0]].insert(one);
        }
    }
    double recipients = 0;
    double found = 0;
    double reasons = 0;
    double right = 0;
    for (const auto& row : read_table(base + "/dsn-dev/index.tsv")) {
        if (row[0] == "file") {
            continue;
        }
        const auto report = mail::read_report(read_file(base + "/dsn-dev/" + row[0]));
        const mail::reported_recipient* match = nullptr;
        for (const auto& r : report.recipients) {
            if (ascii_iequals(r.address, row[4]) || ascii_iequals(r.original, row[4])) {
                match = &r;
            }
        }
        if (!row[4].empty()) {
            ++recipients;
            found += match ? 1 : 0;
            if (!match && is_verbose) {
                std::cout << "RECIPIENT " << row[0] << " expected " << row[4] << " kind "
                          << to_text(report.kind);
                for (const auto& r : report.recipients) {
                    std::cout << " | " << r.address;
                }
                std::cout << "\n";
            }
        }
        if (row[10].empty() || row[10] == "feedback") {
            continue;
        }
        ++reasons;
        if (!match && !report.recipients.empty()) {
            match = &report.recipients.front();
        }
        const auto v = match ? judge(standard_rules(), *match) : verdict{};
        const auto& fit = categories[std::string{to_text(v.why)}];
        right += match && fit.contains(row[10]) ? 1 : 0;
        if (is_verbose && !(match && fit.contains(row[10]))) {
            std::cout << "REASON " << row[0] << " expected " << row[10] << " found " << to_text(v.why)
                      << " by " << v.rule << " in " << (match ? printable(match->diagnostic, 200) : "nothing")
                      << " # " << printable(row[9], 200) << "\n";
        }
    }
    std::cout << "recipients found: " << found << " of " << recipients << ", reasons right: " << right
              << " of " << reasons << "\n";
    EXPECT_GE(found / recipients, 0.98);
    EXPECT_GE(right / reasons, 0.88);
}

}  // namespace
}  // namespace estafette::verdict
