#include "estafette/verdict/allow_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estafette::verdict {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

allow_list_facts known() {
    allow_list_facts f;
    f.domains = {"vendor.example"};
    f.addresses = {"badges@vendor.example"};
    f.ips = {"192.0.2.10", "2001:db8::/64"};
    f.servers = {"smtp.vendor.example"};
    f.returns = return_path_kind::any_of_domain;
    f.return_path = "bounces.vendor.example";
    f.dkim_domain = "vendor.example";
    f.contact = "support@vendor.example";
    return f;
}

TEST(AllowList, NamesAllThatIsKnownInEachLanguage) {
    for (std::size_t l = 0; l < language_count; ++l) {
        const auto page = allow_list_page(known(), static_cast<language>(l));
        for (const char* value :
             {"`vendor.example`",
              "`badges@vendor.example`",
              "`192.0.2.10`, `2001:db8::/64`",
              "`bounces.vendor.example`",
              "DKIM",
              "Microsoft 365",
              "Google Workspace",
              "support@vendor.example"}) {
            EXPECT_THAT(page, HasSubstr(value));
        }
        EXPECT_EQ(page.find_first_of("{}[]"), std::string::npos) << page;
    }
}

TEST(AllowList, GivesTheServerOnlyWhereNoAddressIsKnown) {
    auto f = known();
    EXPECT_THAT(allow_list_page(f, language::en), Not(HasSubstr("smtp.vendor.example")));
    f.ips.clear();
    EXPECT_THAT(allow_list_page(f, language::en), HasSubstr("`smtp.vendor.example`"));
}

TEST(AllowList, LeavesOutWhatIsNotKnown) {
    const auto page = allow_list_page({}, language::en);
    EXPECT_THAT(page, Not(HasSubstr("DKIM signature")));
    EXPECT_THAT(page, Not(HasSubstr("Questions")));
    EXPECT_THAT(page, HasSubstr("the same as the address of the sender"));
    EXPECT_THAT(page, Not(HasSubstr("Tenant Allow/Block List")));
}

TEST(AllowList, AValueCannotBreakItsTable) {
    auto f = known();
    f.addresses = {"a|b@vendor.example\n| x"};
    EXPECT_THAT(allow_list_page(f, language::en), HasSubstr("a\\|b@vendor.example"));
    EXPECT_THAT(allow_list_page(f, language::en), Not(HasSubstr("\n| x")));
}

}  // namespace
}  // namespace estafette::verdict
