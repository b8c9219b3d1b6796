#include "estafette/base/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace estafette::yaml {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

node read(std::string_view text) {
    auto n = parse(text, "f.yaml");
    EXPECT_TRUE(n) << (n ? "" : n.error());
    return n ? *n : node{};
}

std::string error_of(std::string_view text, const limits& bounds = {}) {
    const auto n = parse(text, "f.yaml", bounds);
    return n ? "no error" : n.error();
}

TEST(yaml, keeps_kinds_order_and_places) {
    const node n = read("b: 1\na:\n  - x\n  - 'y z'\nc: {d: , e: ~}\n");
    ASSERT_TRUE(n.is_map());
    ASSERT_EQ(n.members().size(), 3u);
    EXPECT_EQ(n.members()[0].key, "b");
    const node& list = *n.find("a");
    ASSERT_TRUE(list.is_sequence());
    EXPECT_EQ(list.items()[1].scalar(), "y z");
    EXPECT_TRUE(list.items()[1].is_quoted());
    EXPECT_FALSE(list.items()[0].is_quoted());
    EXPECT_EQ(list.items()[1].line(), 4u);
    EXPECT_EQ(list.items()[1].column(), 5u);
    EXPECT_EQ(list.items()[1].file(), "f.yaml");
    EXPECT_TRUE(n.find("c")->find("d")->is_null());
    EXPECT_TRUE(n.find("c")->find("e")->is_null());
    EXPECT_EQ(n.find("nothing"), nullptr);
    EXPECT_EQ(n.members()[2].place.line(), 5u);
}

TEST(yaml, places_a_missing_value_at_its_key) {
    const node n = read("a:\n\n\nb: 1\n");
    EXPECT_EQ(n.find("a")->line(), 1u);
}

TEST(yaml, reads_an_empty_text_as_null) {
    EXPECT_TRUE(read("").is_null());
    EXPECT_TRUE(read("# only a comment\n").is_null());
    EXPECT_EQ(read("").line(), 1u);
}

TEST(yaml, reads_blocks_and_a_byte_order_mark) {
    EXPECT_EQ(read("t: |\n  a\n  b\n").find("t")->scalar(), "a\nb\n");
    EXPECT_EQ(read("t: >-\n  a\n  b\n").find("t")->scalar(), "a b");
    EXPECT_EQ(
        read("\xEF\xBB\xBF"
             "a: é\n")
            .find("a")
            ->scalar(),
        "é"
    );
}

TEST(yaml, copies_what_an_alias_stands_for) {
    const node n = read("a: &x {k: 1}\nb: *x\n");
    EXPECT_EQ(n.find("b")->find("k")->scalar(), "1");
}

TEST(yaml, refuses_with_file_and_line) {
    const std::pair<std::string, std::string> cases[] = {
        {"a: 1\na: 2\n", "f.yaml:2: duplicate key a"},
        {"x:\n  a: 1\n  'a': 2\n", "f.yaml:3: duplicate key a"},
        {"{a: 1, b: 2, a: 3}", "f.yaml:1: duplicate key a"},
        {"a: 1\n---\nb: 2\n", "f.yaml:2: only one document is allowed"},
        {"a: !!str 1\n", "f.yaml:1: tags are not supported"},
        {"a: !thing {b: 1}\n", "f.yaml:1: tags are not supported"},
        {"[a, b]: 1\n", "f.yaml:1: a key must be a plain word"},
        {"~: 1\n", "f.yaml:1: a key must be a plain word"},
        {"a: 1\nb: \x01\n", "f.yaml:2: control characters are not allowed here"},
        {std::string{"a: 1\nb: \0\n", 9}, "f.yaml:2: control characters are not allowed here"},
        {"a: 1\n\x04", "f.yaml:2: control characters are not allowed here"},
        {"a: caf\xE9\n", "f.yaml:1: not valid UTF-8"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(error_of(text), expected) << text;
}

TEST(yaml, tells_where_the_syntax_is_wrong) {
    for (const std::string_view text :
         {"a: 1\nb: [1, 2\n", "a: 1\nb: {x\n", "a: 1\n\tb: 2\n", "a: 1\nb: *nobody\n"})
        EXPECT_THAT(
            error_of(text), testing::MatchesRegex("f\\.yaml:[23]: not valid YAML at column [0-9]+: .+")
        ) << text;
}

TEST(yaml, holds_its_limits) {
    EXPECT_EQ(error_of("a: 12345678", {.bytes = 10}), "f.yaml:1: larger than 10");
    EXPECT_EQ(error_of("[[[1]]]", {.depth = 2}), "f.yaml:1: nested too deeply");
    EXPECT_EQ(error_of("[1, 2, 3]", {.nodes = 3}), "f.yaml:1: too many values");
    EXPECT_EQ(error_of("a: &x 1\nb: *x\nc: *x\n", {.aliases = 1}), "f.yaml:3: too many aliases");
    EXPECT_EQ(error_of("a: &x [*x]\n"), "f.yaml:1: an alias within what it stands for");
    EXPECT_THAT(error_of(std::string(100'000, '[')), StartsWith("f.yaml:1: nested too deeply"));
}

TEST(yaml, does_not_explode_on_a_billion_laughs) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int j = 1; j < 10; ++j)
            text += ", " + before;
        text += "]\n";
    }
    EXPECT_THAT(error_of(text), testing::EndsWith("too many values"));
}

TEST(yaml, merges_maps_and_replaces_the_rest) {
    const node below = read("a: {x: 1, y: 2}\nl: [1, 2]\ns: old\nkeep: {z: 1}\n");
    const node above = read("a: {y: 3, z: 4}\nl: [3]\ns: new\nkeep:\nmore: 5\n");
    const node n = merged(below, above);
    EXPECT_EQ(n.find("a")->find("x")->scalar(), "1");
    EXPECT_EQ(n.find("a")->find("y")->scalar(), "3");
    EXPECT_EQ(n.find("a")->find("z")->scalar(), "4");
    EXPECT_EQ(n.find("l")->items().size(), 1u);
    EXPECT_EQ(n.find("s")->scalar(), "new");
    EXPECT_EQ(n.find("keep")->find("z")->scalar(), "1");
    EXPECT_EQ(n.find("more")->scalar(), "5");
    EXPECT_EQ(merged(node{}, above).find("s")->scalar(), "new");
}

TEST(yaml, converts_only_plain_scalars) {
    const node n = read("[true, false, yes, 'true', 12, -1, 0x10, 1.5, .inf, '7', 18446744073709551616]");
    const auto& i = n.items();
    EXPECT_EQ(to_bool(i[0]), true);
    EXPECT_EQ(to_bool(i[1]), false);
    EXPECT_EQ(to_bool(i[2]), std::nullopt);
    EXPECT_EQ(to_bool(i[3]), std::nullopt);
    EXPECT_EQ(to_unsigned(i[4]), 12u);
    for (const std::size_t bad : {5u, 6u, 7u, 9u, 10u})
        EXPECT_EQ(to_unsigned(i[bad]), std::nullopt) << bad;
    EXPECT_EQ(to_double(i[7]), 1.5);
    EXPECT_EQ(to_double(i[8]), std::nullopt);
}

TEST(yaml_errors, name_the_place_the_key_and_the_nearest) {
    const node n = read("a: 1\nstore: {pth: x}\nfrobnicate: 1\n");
    static constexpr std::array<std::string_view, 2> store{"path", "engine"};
    static constexpr std::array<std::string_view, 2> root{"a", "store"};
    errors out;
    EXPECT_TRUE(out.empty());
    out.add_unknown_keys(*n.find("store"), "store", store);
    out.add_unknown_keys(n, "", root);
    out.add(*n.find("a"), "a", "not a size");
    out.add(*n.find("a"), "a", "not a size");
    EXPECT_THAT(
        out.lines(),
        ElementsAre(
            "f.yaml:1: a: not a size",
            "f.yaml:2: unknown key store.pth; nearest: store.path",
            "f.yaml:3: unknown key frobnicate"
        )
    );
}

TEST(yaml_errors, stay_with_their_file) {
    const auto other = parse("x: 1\n", "a.yaml");
    const node n = read("a: 1\nb: 2\n");
    errors out;
    out.add(*n.find("b"), "", "second");
    out.add(*other->find("x"), "", "elsewhere");
    out.add(*n.find("a"), "", "first");
    out.add(*n.find("b"), "", "third");
    EXPECT_THAT(
        out.lines(),
        ElementsAre("f.yaml:1: first", "f.yaml:2: second", "f.yaml:2: third", "a.yaml:1: elsewhere")
    );
}

}  // namespace
}  // namespace estafette::yaml
