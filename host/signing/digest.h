// Digests, HMAC (RFC 2104) and the constant-time compare: the only place that knows OpenSSL's crypto.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hookhost::signing {

enum class Algorithm : std::uint8_t { sha1, sha256, sha512 };

[[nodiscard]] std::string sha256(std::string_view bytes);  // 32 bytes, not hexadecimal
[[nodiscard]] std::string hmac(Algorithm algorithm, std::string_view key, std::string_view bytes);
// Of `first` followed by `second`, without joining them.
[[nodiscard]] std::string hmac(Algorithm algorithm, std::string_view key, std::string_view first, std::string_view second);

// Takes as long for equal as for different texts of one length. Different lengths are not secret.
[[nodiscard]] bool constant_time_equal(std::string_view left, std::string_view right);

// SHA-256 in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::string_view bytes);
  [[nodiscard]] std::string finish();  // 32 bytes; then use no more

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// `count` bytes from the system's generator, for tokens.
[[nodiscard]] std::string random_bytes(std::size_t count);

}  // namespace hookhost::signing
