#include "signing/scheme.h"

#include <array>
#include <utility>

#include "base/bytes.h"

namespace hookhost::signing {
namespace {

constexpr std::array<std::pair<std::string_view, Scheme>, 5> kNames{{{"kakiyo", Scheme::kakiyo},
                                                                      {"github", Scheme::github},
                                                                      {"standard-webhooks", Scheme::standard_webhooks},
                                                                      {"stripe", Scheme::stripe},
                                                                      {"hmac", Scheme::hmac}}};
constexpr std::string_view kStandardPrefix = "whsec_";

}  // namespace

std::string_view to_string(Scheme scheme) {
  for (const auto& [name, value] : kNames) {
    if (value == scheme) return name;
  }
  return "hmac";
}

Result<Scheme> parse_scheme(std::string_view text) {
  for (const auto& [name, value] : kNames) {
    if (name == text) return value;
  }
  return fail(ErrorCode::usage, "'" + std::string(text) + "' is not a scheme: use kakiyo, github, standard-webhooks, stripe or hmac");
}

Result<std::string> key_of(Scheme scheme, std::string_view secret) {
  if (scheme != Scheme::standard_webhooks || !secret.starts_with(kStandardPrefix)) return std::string(secret);
  auto key = from_base64(secret.substr(kStandardPrefix.size()));
  if (!key || key->size() < 24 || key->size() > 64) {
    return fail(ErrorCode::usage, "a secret that begins with whsec_ must go on with the Base64 of 24 to 64 bytes");
  }
  return std::move(*key);
}

}  // namespace hookhost::signing
