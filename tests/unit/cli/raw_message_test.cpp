#include "raw_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estafette::cli {
namespace {

using words = std::vector<std::string>;

words addresses_in(std::string_view list) {
    words out;
    for (const address_span& span : find_addresses(list)) {
        out.emplace_back(list.substr(span.offset, span.size));
    }
    return out;
}

struct list_case {
    std::string list;
    words addresses;
};

class an_address_list : public testing::TestWithParam<list_case> {};

TEST_P(an_address_list, gives_its_addresses) {
    EXPECT_EQ(addresses_in(GetParam().list), GetParam().addresses);
}

INSTANTIATE_TEST_SUITE_P(
    forms,
    an_address_list,
    testing::Values(
        list_case{"", {}},
        list_case{" , ,", {}},
        list_case{"ann@x", {"ann@x"}},
        list_case{" ann@x , ben@y\r\n", {"ann@x", "ben@y"}},
        list_case{"Ann <ann@x>, \"Smith, B.\" <ben@y>", {"ann@x", "ben@y"}},
        list_case{"root (Cron Daemon)", {"root"}},
        list_case{"(before) root", {"root"}},
        list_case{"Ann (a, b) < ann@x >", {"ann@x"}},
        list_case{"team: ann@x, ben@y;, carl@z", {"ann@x", "ben@y", "carl@z"}},
        list_case{"undisclosed-recipients:;", {}},
        list_case{"\"odd local\"@x", {"\"odd local\"@x"}},
        list_case{"<\"a>b\"@x>", {"\"a>b\"@x"}},
        list_case{"\"a\\\"b\" <ann@x>", {"ann@x"}},
        list_case{"Ann\n <ann@x>,\n\tben@y\n", {"ann@x", "ben@y"}},
        list_case{"=?utf-8?q?Ann=2C?= <ann@x>", {"ann@x"}},
        list_case{"two words", {"two words"}},
        list_case{"<>", {}},
        list_case{"<ann@x> ben", {"<ann@x> ben"}},
        list_case{"Ann <ann@x> <ben@y>, carl@z", {"Ann <ann@x> <ben@y>", "carl@z"}},
        list_case{"<ann@x> (comment), <ben@y>", {"ann@x", "ben@y"}},
        list_case{"\"unclosed", {"\"unclosed"}},
        list_case{"(unclosed", {}},
        list_case{"<unclosed", {"unclosed"}}
    )
);

TEST(the_originator, is_the_one_address_of_from) {
    EXPECT_EQ(originator("to: x@y\nFROM: Ann <ann@x>\n\n"), "ann@x");
    EXPECT_EQ(originator("From: root (Cron Daemon)\n\n"), "root");
    EXPECT_EQ(originator("From: a@x, b@x\n\n"), "");
    EXPECT_EQ(originator("To: x@y\n\nFrom: a@x\n"), "");
}

struct repair_case {
    std::string given;
    std::string repaired;
};

class a_message : public testing::TestWithParam<repair_case> {};

TEST_P(a_message, is_repaired_where_it_must_be) {
    EXPECT_EQ(repaired(GetParam().given, {"ann@x", "dom.example"}), GetParam().repaired);
}

INSTANTIATE_TEST_SUITE_P(
    forms,
    a_message,
    testing::Values(
        repair_case{"From: a@x\nTo: b@y\n\nhi\n", "From: a@x\nTo: b@y\n\nhi\n"},
        repair_case{"To: b@y\n\nhi\n", "To: b@y\nFrom: ann@x\n\nhi\n"},
        repair_case{"To: b@y\r\n\r\nhi\r\n", "To: b@y\r\nFrom: ann@x\r\n\r\nhi\r\n"},
        repair_case{
            "From: root (Cron Daemon)\nTo: root\nSubject: to root\n\nroot\n",
            "From: root@dom.example (Cron Daemon)\nTo: root@dom.example\nSubject: to root\n\nroot\n"
        },
        repair_case{
            "From: a@x\nTo: b, c@y,\n d\n\n", "From: a@x\nTo: b@dom.example, c@y,\n d@dom.example\n\n"
        },
        repair_case{"From: <root>\n\n", "From: <root@dom.example>\n\n"},
        repair_case{
            "From: a@x\nTo: undisclosed-recipients:;\n\n", "From: a@x\nTo: undisclosed-recipients:;\n\n"
        },
        // no header, no empty line, an mbox line, a header that ends with the file
        repair_case{"hello\nTo: you\n", "From: ann@x\n\nhello\nTo: you\n"},
        repair_case{"From: a@x\nhello\n", "From: a@x\n\nhello\n"},
        repair_case{"From ann Thu Jan  1\nFrom: a@x\n\nhi\n", "From: a@x\n\nhi\n"},
        repair_case{"From: a@x", "From: a@x\n\n"},
        repair_case{"", "From: ann@x\n\n"}
    )
);

TEST(repaired, adds_nothing_it_was_not_told_to_add) {
    EXPECT_EQ(repaired("To: b\n\nhi", {}), "To: b\n\nhi");
}

}  // namespace
}  // namespace estafette::cli
