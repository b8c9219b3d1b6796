#include "estafette/base/text.hpp"
#include "estafette/smtp/auth.hpp"

#include <gtest/gtest.h>

namespace estafette::smtp {
namespace {

TEST(mechanisms, have_their_registered_names) {
    for (std::size_t i = 0; i < mechanism_count; ++i) {
        const auto m = static_cast<mechanism>(i);
        EXPECT_EQ(parse_mechanism(to_text(m)), m);
        EXPECT_EQ(parse_mechanism(ascii_lower(to_text(m))), m);
    }
    EXPECT_FALSE(parse_mechanism("NTLM"));
    EXPECT_FALSE(parse_mechanism(""));
}

TEST(mechanisms, are_tried_strongest_first_and_never_external_unasked) {
    const auto order = default_mechanisms();
    EXPECT_EQ(order.front(), mechanism::scram_sha_256_plus);
    for (const mechanism m : order) {
        EXPECT_NE(m, mechanism::external);
        EXPECT_NE(m, mechanism::xoauth2);
        EXPECT_NE(m, mechanism::oauthbearer);
    }
}

TEST(plain, is_rfc_4616) {
    auth_exchange x{mechanism::plain, {"tim", "tanstaaftanstaaf"}, {}, {}};
    const std::string expected{"\0tim\0tanstaaftanstaaf", 21};
    EXPECT_EQ(x.initial(), expected);
    EXPECT_EQ(x.next("").value(), expected);
    EXPECT_EQ(x.next("").error(), errc::auth_challenge_invalid);
    EXPECT_FALSE(x.finish());
}

TEST(login, answers_two_prompts_whatever_they_say) {
    auth_exchange x{mechanism::login, {"u", "p"}, {}, {}};
    EXPECT_FALSE(x.initial());
    EXPECT_EQ(x.next("User Name").value(), "u");
    EXPECT_EQ(x.next("Password:").value(), "p");
    EXPECT_EQ(x.next("Again:").error(), errc::auth_challenge_invalid);
}

TEST(cram_md5, is_rfc_2195) {
    auth_exchange x{mechanism::cram_md5, {"tim", "tanstaaftanstaaf"}, {}, {}};
    EXPECT_FALSE(x.initial());
    EXPECT_EQ(
        x.next("<1896.697170952@postoffice.reston.mci.net>").value(), "tim b913a602c7eda7a495b4e6e7334d3890"
    );
    EXPECT_EQ(x.next("<1@x>").error(), errc::auth_challenge_invalid);
    auth_exchange y{mechanism::cram_md5, {"tim", "x"}, {}, {}};
    EXPECT_EQ(y.next("").error(), errc::auth_challenge_invalid);
}

TEST(external, names_whom_to_act_for) {
    auth_exchange x{mechanism::external, {"", ""}, {}, {}};
    EXPECT_EQ(x.initial(), "");
    EXPECT_EQ(x.next("").value(), "");
    EXPECT_EQ(x.next("").error(), errc::auth_challenge_invalid);
    EXPECT_EQ((auth_exchange{mechanism::external, {"fred", ""}, {}, {}}.initial()), "fred");
}

TEST(xoauth2, is_framed_by_control_a) {
    auth_exchange x{mechanism::xoauth2, {"u@x", "tok"}, {}, {}};
    EXPECT_EQ(x.initial(), "user=u@x\1auth=Bearer tok\1\1");
    EXPECT_EQ(x.next("").value(), *x.initial());
    EXPECT_EQ(x.next("{\"status\":\"401\"}").value(), "");
    EXPECT_EQ(x.next("{}").error(), errc::auth_challenge_invalid);
}

TEST(oauthbearer, is_rfc_7628) {
    auth_exchange x{
        mechanism::oauthbearer, {"user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="}, {}, {}
    };
    EXPECT_EQ(
        x.initial(), "n,a=user@example.com,\1auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1"
    );
    EXPECT_EQ(x.next("{\"status\":\"invalid_token\"}").value(), "\1");
    EXPECT_EQ(
        (auth_exchange{mechanism::oauthbearer, {"a,b=c", "t"}, {}, {}}.initial()),
        "n,a=a=2Cb=3Dc,\1auth=Bearer t\1\1"
    );
}

constexpr std::string_view server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

auth_exchange scram() {
    return {mechanism::scram_sha_256, {"user", "pencil"}, {}, "rOprNGfwEbeRWgbNEkqO"};
}

TEST(scram_sha_256, is_rfc_7677) {
    auth_exchange x = scram();
    EXPECT_EQ(x.initial(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    EXPECT_EQ(
        x.next(server_first).value(),
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+"
        "Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    EXPECT_EQ(x.finish(), errc::auth_server_unproven);
    EXPECT_EQ(x.next("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").value(), "");
    EXPECT_FALSE(x.finish());
    EXPECT_EQ(x.next("more").error(), errc::auth_challenge_invalid);
}

TEST(scram_sha_256, refuses_a_server_that_does_not_know_the_password) {
    for (const char* final :
         {"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=AAAA", "v=!", "v=", "e=invalid-proof", ""}) {
        auth_exchange x = scram();
        ASSERT_TRUE(x.next(server_first));
        EXPECT_EQ(x.next(final).error(), errc::auth_server_unproven) << final;
        EXPECT_EQ(x.finish(), errc::auth_server_unproven);
    }
}

TEST(scram_sha_256, refuses_what_is_malformed_or_hostile) {
    for (const char* first : {
             "garbage",
             "r=",
             "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",      // added nothing to our nonce
             "r=other-nonce-altogether-x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",  // not our nonce
             "r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096",                            // salt is not base64
             "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",                             // no salt
             "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==",            // no count
             "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=",         //
             "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",        //
             "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-1",       //
             "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=12x",      //
             "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=100001",   // would block the loop
             "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999",  //
             "m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",   // a mandatory extension
         }) {
        auth_exchange x = scram();
        EXPECT_EQ(x.next(first).error(), errc::auth_challenge_invalid) << first;
    }
}

TEST(scram_sha_256, is_asked_for_its_first_message_once) {
    auth_exchange x = scram();
    EXPECT_EQ(x.next("").value(), *x.initial());
    EXPECT_EQ(x.next("").error(), errc::auth_challenge_invalid);
}

TEST(scram_sha_256, says_whether_it_could_bind_the_channel) {
    const channel_binding tls{"tls-exporter", "binding"};
    const credentials who{"a,b=c", "p"};
    EXPECT_EQ((auth_exchange{mechanism::scram_sha_256, who, tls, "N"}.initial()), "y,,n=a=2Cb=3Dc,r=N");
    EXPECT_EQ((auth_exchange{mechanism::scram_sha_256, who, tls, "N", true}.initial()), "n,,n=a=2Cb=3Dc,r=N");
    EXPECT_EQ((auth_exchange{mechanism::scram_sha_256, who, {}, "N"}.initial()), "n,,n=a=2Cb=3Dc,r=N");
}

TEST(scram_sha_256_plus, binds_the_exchange_to_the_connection) {
    auth_exchange x{
        mechanism::scram_sha_256_plus,
        {"user", "pencil"},
        {"tls-exporter", "BINDING"},
        "rOprNGfwEbeRWgbNEkqO",
        true
    };
    EXPECT_EQ(x.initial(), "p=tls-exporter,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    const std::string response = x.next(server_first).value();
    EXPECT_TRUE(
        response.starts_with("c=" + base64_encode("p=tls-exporter,,BINDING") + ",r=rOprNGfwEbeRWgbNEkqO%hvY")
    );
    // Another connection, another proof.
    auth_exchange y{
        mechanism::scram_sha_256_plus,
        {"user", "pencil"},
        {"tls-exporter", "binding"},
        "rOprNGfwEbeRWgbNEkqO",
        true
    };
    EXPECT_NE(y.next(server_first).value(), response);
}

}  // namespace
}  // namespace estafette::smtp
