#include "signing/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

#include "base/assert.h"

namespace hookhost::signing {
namespace {

struct MdFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct MacFree {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

const char* name_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::sha1: return "SHA1";
    case Algorithm::sha256: return "SHA256";
    case Algorithm::sha512: return "SHA512";
  }
  return "SHA256";
}

// Fetching an algorithm costs more than hashing a kilobyte: each thread fetches each one once.
EVP_MAC_CTX* mac_context(Algorithm algorithm) {
  thread_local std::array<std::unique_ptr<EVP_MAC_CTX, MacFree>, 3> contexts;
  auto& context = contexts.at(static_cast<std::size_t>(algorithm));
  if (!context) {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    HOOKHOST_ASSERT(mac != nullptr);
    context.reset(EVP_MAC_CTX_new(mac));
    EVP_MAC_free(mac);
    std::string digest = name_of(algorithm);
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
    HOOKHOST_ASSERT(context && EVP_MAC_CTX_set_params(context.get(), parameters) == 1);
  }
  return context.get();
}

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

struct Sha256::Context {
  std::unique_ptr<EVP_MD_CTX, MdFree> md{EVP_MD_CTX_new()};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  HOOKHOST_ASSERT(context_->md && EVP_DigestInit_ex2(context_->md.get(), algorithm, nullptr) == 1);
}
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) { HOOKHOST_ASSERT(EVP_DigestUpdate(context_->md.get(), bytes.data(), bytes.size()) == 1); }

std::string Sha256::finish() {
  std::string out(32, '\0');
  unsigned length = 0;
  HOOKHOST_ASSERT(EVP_DigestFinal_ex(context_->md.get(), reinterpret_cast<unsigned char*>(out.data()), &length) == 1 && length == 32);
  return out;
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.finish();
}

std::string hmac(Algorithm algorithm, std::string_view key, std::string_view bytes) { return hmac(algorithm, key, bytes, {}); }

std::string hmac(Algorithm algorithm, std::string_view key, std::string_view first, std::string_view second) {
  EVP_MAC_CTX* context = mac_context(algorithm);
  static constexpr unsigned char kEmptyKey = 0;  // a null key would mean the last one
  const unsigned char* key_data = key.empty() ? &kEmptyKey : data_of(key);
  HOOKHOST_ASSERT(EVP_MAC_init(context, key_data, key.size(), nullptr) == 1);
  HOOKHOST_ASSERT(EVP_MAC_update(context, data_of(first), first.size()) == 1);
  if (!second.empty()) HOOKHOST_ASSERT(EVP_MAC_update(context, data_of(second), second.size()) == 1);
  std::string out(64, '\0');
  std::size_t length = 0;
  HOOKHOST_ASSERT(EVP_MAC_final(context, reinterpret_cast<unsigned char*>(out.data()), &length, out.size()) == 1);
  out.resize(length);
  return out;
}

bool constant_time_equal(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  HOOKHOST_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) == 1);
  return out;
}

}  // namespace hookhost::signing
