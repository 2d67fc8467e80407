// How a provider signs its webhooks.
//
// | scheme            | headers                                       | what is signed        | form                      |
// |-------------------|-----------------------------------------------|-----------------------|---------------------------|
// | kakiyo            | X-Kakiyo-Signature                            | body                  | hex, "sha256=" optional   |
// | github            | X-Hub-Signature-256                           | body                  | "sha256=" hex             |
// | standard-webhooks | webhook-id, webhook-timestamp, webhook-signature | id.timestamp.body  | "v1," Base64, several     |
// | stripe            | Stripe-Signature                              | timestamp.body        | "t=..,v1=" hex, several   |
// | hmac              | configured                                    | body                  | hex or Base64, own prefix |
//
// Sources: Kakiyo's webhook pages; GitHub "Validating webhook deliveries"; the Standard Webhooks specification; Stripe "Verify manually".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "signing/digest.h"

namespace hookhost::signing {

enum class Scheme : std::uint8_t { kakiyo, github, standard_webhooks, stripe, hmac };
enum class Encoding : std::uint8_t { hex, base64 };

[[nodiscard]] std::string_view to_string(Scheme scheme);  // "standard-webhooks"
// Error: usage, naming the five.
[[nodiscard]] Result<Scheme> parse_scheme(std::string_view text);

struct SchemeOptions {
  Scheme scheme = Scheme::kakiyo;
  Duration tolerance = std::chrono::minutes{5};  // of signed timestamps, both ways; standard-webhooks and stripe
  // hmac only:
  std::string header;
  Algorithm algorithm = Algorithm::sha256;
  Encoding encoding = Encoding::hex;
  std::string prefix;  // before the digest, such as "sha256="
};

// A signing secret as configured; `until`: not accepted from then on.
struct Secret {
  std::string value;
  std::optional<WallTime> until;
};

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

// The HMAC key of a secret: for standard-webhooks the Base64 part behind "whsec_", else the text's own bytes.
// Error: usage, when what follows "whsec_" is no Base64 of 24 to 64 bytes.
[[nodiscard]] Result<std::string> key_of(Scheme scheme, std::string_view secret);

}  // namespace hookhost::signing
