#include "estafette/base/text.hpp"
#include "estafette/bounce/provider.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace estafette::bounce {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const wall_time now = *parse_rfc3339("2026-05-01T08:00:00Z");
const std::string at_now = std::to_string(to_unix_ms(now) / 1000);
const recipient_id ann{*message_id::parse("01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c"), 0};
const char* const own_message_id = "01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c@mail.vendor.example";

const verdict::classifier& rules() {
    static const auto standard = verdict::classifier::standard();
    return standard;
}

template <class T, void (*Free)(T*)> struct freed {
    void operator()(T* t) const { Free(t); }
};

using owned_key = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY, EVP_PKEY_free>>;

std::string sign(EVP_PKEY* key, const EVP_MD* md, const std::string& text) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    EXPECT_EQ(EVP_DigestSignInit(context, nullptr, md, nullptr, key), 1);
    EXPECT_EQ(EVP_DigestSign(context, nullptr, &size, bytes, text.size()), 1);
    std::string out(size, '\0');
    EXPECT_EQ(
        EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size, bytes, text.size()), 1
    );
    out.resize(size);
    EVP_MD_CTX_free(context);
    return base64_encode(out);
}

std::string certificate_of(EVP_PKEY* key) {
    X509* c = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), 0);
    X509_gmtime_adj(X509_getm_notAfter(c), 3600);
    X509_set_pubkey(c, key);
    X509_sign(c, key, EVP_sha256());
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, c);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string pem(data, static_cast<std::size_t>(size));
    BIO_free(out);
    X509_free(c);
    return pem;
}

class a_webhook : public testing::Test {
protected:
    boost::system::result<provider_events, webhook_fault> take(provider from, const webhook& w) const {
        return read_webhook(from, w, secrets, keys, rules(), now);
    }

    // What the events say, a word and a reason each.
    static std::vector<std::string> said(const provider_events& events) {
        std::vector<std::string> out;
        for (const auto& r : events.readings) {
            const auto& s = r.statements.front();
            out.push_back(
                std::string{s.only_stops ? "unsubscribed" : store::to_text(s.what)} + " " + s.address + " " +
                std::string{verdict::to_text(s.judged.why)}
            );
        }
        return out;
    }

    mail::verp_keys keys{{"secret"}};
    provider_secrets secrets;
};

class mailgun : public a_webhook {
protected:
    mailgun() { secrets.mailgun_key = "key"; }

    static std::string hex_of(const std::string& text) {
        unsigned char out[32];
        unsigned size = 0;
        HMAC(
            EVP_sha256(),
            "key",
            3,
            reinterpret_cast<const unsigned char*>(text.data()),
            text.size(),
            out,
            &size
        );
        std::string hex;
        for (const unsigned char byte : out) {
            const char digits[] = "0123456789abcdef";
            hex += digits[byte >> 4];
            hex += digits[byte & 15];
        }
        return hex;
    }

    static webhook event(const std::string& data, const std::string& timestamp = at_now) {
        return {
            R"({"signature":{"timestamp":")" + timestamp + R"(","token":"t","signature":")" +
                hex_of(timestamp + "t") + R"("},"event-data":)" + data + "}",
            {}
        };
    }

    static constexpr const char* failed =
        R"({"event":"failed","severity":"permanent","recipient":"ann@x.example",
        "delivery-status":{"code":550,"enhanced-code":"5.1.1","message":"5.1.1 no such user"},
        "message":{"headers":{"message-id":"01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c@mail.vendor.example"}}})";
};

TEST_F(mailgun, says_what_happened) {
    const auto seen = take(provider::mailgun, event(failed));
    ASSERT_TRUE(seen.has_value());
    EXPECT_THAT(said(*seen), ElementsAre("failed ann@x.example unknown_user"));
    const auto& r = seen->readings.front();
    EXPECT_EQ(r.message, ann.message);
    EXPECT_EQ(r.proven_by, "mailgun");
    EXPECT_EQ(r.statements.front().text, "550 5.1.1 no such user");
    EXPECT_THAT(r.evidence, HasSubstr("permanent"));
}

TEST_F(mailgun, knows_its_words) {
    const std::pair<const char*, const char*> cases[]{
        {R"({"event":"delivered","recipient":"a@x"})", "delivered a@x accepted"},
        {R"({"event":"failed","severity":"temporary","recipient":"a@x","delivery-status":{"code":452,"message":"4.2.2 mailbox full"}})",
         "delayed a@x mailbox_full"},
        {R"({"event":"complained","recipient":"a@x"})", "complained a@x accepted"},
        {R"({"event":"unsubscribed","recipient":"a@x"})", "unsubscribed a@x accepted"},
    };
    for (const auto& [data, expected] : cases) {
        const auto seen = take(provider::mailgun, event(data));
        ASSERT_TRUE(seen.has_value()) << data;
        EXPECT_THAT(said(*seen), ElementsAre(expected));
    }
    for (const char* nothing : {R"({"event":"opened","recipient":"a@x"})", R"({"event":"failed"})", "{}"}) {
        const auto seen = take(provider::mailgun, event(nothing));
        ASSERT_TRUE(seen.has_value()) << nothing;
        EXPECT_TRUE(seen->readings.empty());
    }
}

TEST_F(mailgun, is_refused_without_its_signature_or_too_late) {
    auto wrong = event(failed);
    wrong.body.replace(wrong.body.find("\"token\":\"t\""), 11, "\"token\":\"u\"");
    EXPECT_EQ(take(provider::mailgun, wrong).error(), webhook_fault::not_proven);
    EXPECT_EQ(take(provider::mailgun, {"{}", {}}).error(), webhook_fault::not_proven);
    EXPECT_EQ(take(provider::mailgun, {"no json", {}}).error(), webhook_fault::not_proven);
    const auto early = std::to_string(to_unix_ms(now) / 1000 - 3600);
    EXPECT_EQ(take(provider::mailgun, event(failed, early)).error(), webhook_fault::not_proven);
    secrets.mailgun_key.clear();
    EXPECT_EQ(take(provider::mailgun, event(failed)).error(), webhook_fault::not_configured);
}

class postmark : public a_webhook {
protected:
    postmark() { secrets.postmark_token = "user:password"; }

    static webhook event(const std::string& body) {
        return {body, {{"authorization", "Basic " + base64_encode("user:password")}}};
    }
};

TEST_F(postmark, says_what_happened) {
    const auto seen = take(
        provider::postmark,
        event(
            R"({"RecordType":"Bounce","Type":"HardBounce","Email":"ann@x.example","MessageID":"883953f4-6105-42a2",
            "Details":"smtp;550 5.1.1 The email account that you tried to reach does not exist."})"
        )
    );
    ASSERT_TRUE(seen.has_value());
    EXPECT_THAT(said(*seen), ElementsAre("failed ann@x.example unknown_user"));
    EXPECT_EQ(seen->readings.front().provider_id, "883953f4-6105-42a2");
    const auto stopped = take(
        provider::postmark,
        event(
            R"({"RecordType":"SubscriptionChange","Recipient":"a@x","SuppressSending":true,"MessageID":"1"})"
        )
    );
    EXPECT_THAT(said(*stopped), ElementsAre("unsubscribed a@x accepted"));
    const auto again = take(
        provider::postmark,
        event(R"({"RecordType":"SubscriptionChange","Recipient":"a@x","SuppressSending":false})")
    );
    EXPECT_TRUE(again->readings.empty());
}

TEST_F(postmark, is_refused_without_its_password) {
    EXPECT_EQ(take(provider::postmark, {"{}", {}}).error(), webhook_fault::not_proven);
    EXPECT_EQ(
        take(
            provider::postmark, {"{}", {{"authorization", "Basic " + base64_encode("user:passwore")}}}
        ).error(),
        webhook_fault::not_proven
    );
}

TEST_F(postmark, is_unreadable_when_it_is_no_json) {
    EXPECT_EQ(take(provider::postmark, event("{")).error(), webhook_fault::unreadable);
    EXPECT_EQ(take(provider::postmark, event("[1]")).error(), webhook_fault::unreadable);
}

TEST_F(a_webhook, of_brevo_is_proven_by_its_token) {
    secrets.brevo_token = "token";
    const webhook w{
        R"({"event":"hard_bounce","email":"ann@x.example","message-id":"<01977a1e-5d7c-7d3e-8f52-1c6d1f2b3a4c@m>",
            "reason":"550 5.1.1 user unknown"})",
        {{"authorization", "Bearer token"}}
    };
    const auto seen = take(provider::brevo, w);
    ASSERT_TRUE(seen.has_value());
    EXPECT_THAT(said(*seen), ElementsAre("failed ann@x.example unknown_user"));
    EXPECT_EQ(seen->readings.front().message, ann.message);
    EXPECT_TRUE(take(provider::brevo, {w.body, {{"x-webhook-token", "token"}}}).has_value());
    EXPECT_EQ(
        take(provider::brevo, {w.body, {{"x-webhook-token", "tokem"}}}).error(), webhook_fault::not_proven
    );
    EXPECT_EQ(take(provider::brevo, {w.body, {}}).error(), webhook_fault::not_proven);
}

TEST_F(a_webhook, of_sendgrid_is_proven_by_its_signature) {
    const owned_key key{EVP_EC_gen("P-256")};
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key.get(), &der);
    secrets.sendgrid_key =
        base64_encode({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    const std::string body =
        R"([{"event":"bounce","email":"ann@x.example","status":"5.1.1","reason":"550 5.1.1 unknown user","smtp-id":"<)" +
        std::string{own_message_id} +
        R"(>","sg_message_id":"abcdefghijkl.filter001"},{"event":"processed","email":"b@x"},
          {"event":"deferred","email":"b@x","response":"452 4.2.2 mailbox full"}])";
    webhook w{body, {}};
    w.fields["x-twilio-email-event-webhook-timestamp"] = at_now;
    w.fields["x-twilio-email-event-webhook-signature"] = sign(key.get(), EVP_sha256(), at_now + body);
    const auto seen = take(provider::sendgrid, w);
    ASSERT_TRUE(seen.has_value());
    EXPECT_THAT(said(*seen), ElementsAre("failed ann@x.example unknown_user", "delayed b@x mailbox_full"));
    EXPECT_EQ(seen->readings.front().message, ann.message);
    EXPECT_EQ(seen->readings.front().provider_id, "abcdefghijkl");
    w.body += " ";
    EXPECT_EQ(take(provider::sendgrid, w).error(), webhook_fault::not_proven);
    w.fields.clear();
    EXPECT_EQ(take(provider::sendgrid, w).error(), webhook_fault::not_proven);
}

class ses : public a_webhook {
protected:
    ses()
        : key{EVP_RSA_gen(2048)} {
        secrets.ses_certificate = certificate_of(key.get());
        secrets.ses_topic = "arn:aws:sns:eu-west-1:1:bounces";
    }

    static std::string escaped(const std::string& text) {
        std::string out;
        for (const char c : text) {
            out += c == '\n' ? "\\n" : c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
        }
        return out;
    }

    [[nodiscard]] webhook
    notification(const std::string& message, const std::string& topic, bool is_old = false) const {
        const std::string at = "2026-05-01T07:59:00.000Z";
        const std::string text = "Message\n" + message + "\nMessageId\nm\nTimestamp\n" + at + "\nTopicArn\n" +
                                 topic + "\nType\nNotification\n";
        const std::string signature = sign(key.get(), is_old ? EVP_sha1() : EVP_sha256(), text);
        return {
            R"({"Type":"Notification","MessageId":"m","TopicArn":")" + topic + R"(","Message":")" +
                escaped(message) + R"(","Timestamp":")" + at + R"(","SignatureVersion":")" +
                (is_old ? "1" : "2") + R"(","Signature":")" + signature +
                R"(","SigningCertURL":"https://sns.eu-west-1.amazonaws.com/x.pem"})",
            {}
        };
    }

    owned_key key;
};

TEST_F(ses, says_what_happened) {
    const std::string message =
        R"({"notificationType":"Bounce","mail":{"messageId":"0102018f-aaaa","source":")" +
        *keys.local_part(ann) +
        R"(@bounces.vendor.example"},"bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"ann@x.example",
           "status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}],"reportingMTA":"dsn; a.amazonses.com"}})";
    for (const bool is_old : {false, true}) {
        const auto seen = take(provider::ses, notification(message, secrets.ses_topic, is_old));
        ASSERT_TRUE(seen.has_value());
        EXPECT_THAT(said(*seen), ElementsAre("failed ann@x.example unknown_user"));
        EXPECT_EQ(seen->readings.front().named, ann);
        EXPECT_EQ(seen->readings.front().provider_id, "0102018f-aaaa");
    }
}

TEST_F(ses, knows_its_words) {
    const auto said_of = [&](const std::string& message) {
        const auto seen = take(provider::ses, notification(message, secrets.ses_topic));
        return seen ? said(*seen) : std::vector<std::string>{"?"};
    };
    EXPECT_THAT(
        said_of(R"({"eventType":"Delivery","delivery":{"recipients":["a@x","b@x"],"smtpResponse":"250 ok"}})"
        ),
        ElementsAre("delivered a@x accepted", "delivered b@x accepted")
    );
    EXPECT_THAT(
        said_of(
            R"({"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"a@x"}]}})"
        ),
        ElementsAre("complained a@x accepted")
    );
    EXPECT_THAT(said_of(R"({"eventType":"Open"})"), testing::IsEmpty());
}

TEST_F(ses, of_another_topic_or_changed_is_refused) {
    const std::string message = R"({"notificationType":"Delivery"})";
    EXPECT_EQ(
        take(provider::ses, notification(message, "arn:aws:sns:eu-west-1:2:bounces")).error(),
        webhook_fault::not_proven
    );
    auto changed = notification(message, secrets.ses_topic);
    changed.body.replace(changed.body.find("Delivery"), 8, "Bounce!!");
    EXPECT_EQ(take(provider::ses, changed).error(), webhook_fault::not_proven);
    secrets.ses_certificate = "no certificate";
    EXPECT_EQ(
        take(provider::ses, notification(message, secrets.ses_topic)).error(), webhook_fault::not_proven
    );
}

TEST_F(ses, a_subscription_is_for_a_person_to_confirm) {
    const std::string at = "2026-05-01T07:59:00.000Z";
    const std::string url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t";
    const std::string text = "Message\nhello\nMessageId\nm\nSubscribeURL\n" + url + "\nTimestamp\n" + at +
                             "\nToken\nt\nTopicArn\n" + secrets.ses_topic +
                             "\nType\nSubscriptionConfirmation\n";
    const webhook w{
        R"({"Type":"SubscriptionConfirmation","MessageId":"m","Token":"t","TopicArn":")" + secrets.ses_topic +
            R"(","Message":"hello","SubscribeURL":")" + url + R"(","Timestamp":")" + at +
            R"(","SignatureVersion":"2","Signature":")" + sign(key.get(), EVP_sha256(), text) + R"("})",
        {}
    };
    const auto seen = take(provider::ses, w);
    ASSERT_TRUE(seen.has_value());
    EXPECT_EQ(seen->confirm_url, url);
    EXPECT_TRUE(seen->readings.empty());
}

}  // namespace
}  // namespace estafette::bounce
