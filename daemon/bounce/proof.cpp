#include "proof.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <charconv>
#include <memory>

namespace estafette::bounce {

namespace {

// Providers repeat for hours what was not answered, each time signed anew.
constexpr milliseconds window = std::chrono::minutes{15};

struct freed {
    void operator()(BIO* b) const noexcept { BIO_free(b); }

    void operator()(X509* x) const noexcept { X509_free(x); }

    void operator()(EVP_PKEY* k) const noexcept { EVP_PKEY_free(k); }

    void operator()(EVP_MD_CTX* c) const noexcept { EVP_MD_CTX_free(c); }
};

template <class T> using owned = std::unique_ptr<T, freed>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

bool verify(EVP_PKEY* key, const EVP_MD* md, std::string_view text, std::string_view signature) {
    const owned<EVP_MD_CTX> context{EVP_MD_CTX_new()};
    return key != nullptr && context && EVP_DigestVerifyInit(context.get(), nullptr, md, nullptr, key) == 1 &&
           EVP_DigestVerify(
               context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()
           ) == 1;
}

}  // namespace

bool is_same_secret(std::string_view a, std::string_view b) noexcept {
    return !b.empty() && a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hmac_sha256_hex(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    HMAC(
        EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), out.data(), &size
    );
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        hex += digits[out[i] >> 4];
        hex += digits[out[i] & 15];
    }
    return hex;
}

bool is_signed_by_certificate(
    std::string_view pem, std::string_view text, std::string_view signature, digest_kind d
) {
    const owned<BIO> in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    const owned<X509> certificate{in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr};
    if (!certificate) {
        return false;
    }
    const owned<EVP_PKEY> key{X509_get_pubkey(certificate.get())};
    return verify(key.get(), d == digest_kind::sha1 ? EVP_sha1() : EVP_sha256(), text, signature);
}

bool is_signed_by_key(std::string_view spki, std::string_view text, std::string_view signature) {
    const unsigned char* at = bytes_of(spki);
    const owned<EVP_PKEY> key{d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size()))};
    return verify(key.get(), EVP_sha256(), text, signature);
}

bool is_recent(std::string_view unix_seconds, wall_time now) {
    std::int64_t value = 0;
    const auto [end, failed] =
        std::from_chars(unix_seconds.data(), unix_seconds.data() + unix_seconds.size(), value);
    constexpr std::int64_t far_future = 100'000'000'000;
    if (failed != std::errc{} || end != unix_seconds.data() + unix_seconds.size() || value < 0 ||
        value > far_future) {
        return false;
    }
    const auto at = from_unix_ms(value * 1000);
    return at + window >= now && at <= now + window;
}

}  // namespace estafette::bounce
