// Certificates made in the test: an authority, and leaves with whatever fault a case needs.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace testing_net {

template <auto free> struct openssl_release {
    template <class T> void operator()(T* p) const { free(p); }
};

using key_ptr = std::unique_ptr<EVP_PKEY, openssl_release<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, openssl_release<X509_free>>;

struct leaf {
    std::string common_name = "server";
    std::vector<std::string> names{};  // "DNS:mx.example.test", "IP:127.0.0.1"
    long valid_from_days = -1;
    long valid_to_days = 30;
    std::string crl{};  // "URI:http://…", a revocation list that nobody fetches
};

inline key_ptr make_key() {
    return key_ptr{EVP_EC_gen("P-256")};
}

inline void add_extension(X509& to, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer != nullptr ? issuer : &to, &to, nullptr, nullptr, 0);
    auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    if (extension == nullptr)
        throw std::runtime_error{"extension " + value};
    X509_add_ext(&to, extension, -1);
    X509_EXTENSION_free(extension);
}

inline certificate_ptr
sign(const leaf& spec, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key, bool is_authority = false) {
    static long serial = 1;
    certificate_ptr made{X509_new()};
    auto* c = made.get();
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c), serial++);
    X509_gmtime_adj(X509_getm_notBefore(c), spec.valid_from_days * 86400);
    X509_gmtime_adj(X509_getm_notAfter(c), spec.valid_to_days * 86400);
    auto* subject = X509_get_subject_name(c);
    const auto* cn = reinterpret_cast<const unsigned char*>(spec.common_name.c_str());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, cn, -1, -1, 0);
    X509_set_issuer_name(c, issuer != nullptr ? X509_get_subject_name(issuer) : subject);
    X509_set_pubkey(c, key);
    add_extension(*c, issuer, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    std::string names;
    for (const auto& name : spec.names)
        names += (names.empty() ? "" : ",") + name;
    if (!names.empty())
        add_extension(*c, issuer, NID_subject_alt_name, names);
    if (!spec.crl.empty())
        add_extension(*c, issuer, NID_crl_distribution_points, spec.crl);
    if (X509_sign(c, issuer_key != nullptr ? issuer_key : key, EVP_sha256()) == 0)
        throw std::runtime_error{"sign"};
    return made;
}

class authority {
public:
    explicit authority(const std::string& name)
        : key_{make_key()}
        , certificate_{sign(
              {.common_name = name, .valid_from_days = -100, .valid_to_days = 100},
              key_.get(),
              nullptr,
              nullptr,
              true
          )} {}

    [[nodiscard]] certificate_ptr issue(const leaf& spec, EVP_PKEY* key) const {
        return sign(spec, key, certificate_.get(), key_.get());
    }

    void write(const std::string& file) const { write_certificate(*certificate_, file); }

    [[nodiscard]] X509* certificate() const { return certificate_.get(); }

    static void write_certificate(X509& c, const std::string& file) {
        std::unique_ptr<FILE, openssl_release<std::fclose>> out{std::fopen(file.c_str(), "w")};
        if (!out || PEM_write_X509(out.get(), &c) != 1)
            throw std::runtime_error{file};
    }

    static void write_key(EVP_PKEY& key, const std::string& file) {
        std::unique_ptr<FILE, openssl_release<std::fclose>> out{std::fopen(file.c_str(), "w")};
        if (!out || PEM_write_PrivateKey(out.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
            throw std::runtime_error{file};
    }

private:
    key_ptr key_;
    certificate_ptr certificate_;
};

}  // namespace testing_net
