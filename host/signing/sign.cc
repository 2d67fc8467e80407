#include "signing/sign.h"

#include "base/bytes.h"

namespace hookhost::signing {

Result<std::vector<std::pair<std::string, std::string>>> sign(const SchemeOptions& options, std::string_view secret, std::string_view id,
                                                              WallTime now, std::string_view body) {
  using Headers = std::vector<std::pair<std::string, std::string>>;
  HOOKHOST_TRY(const std::string key, key_of(options.scheme, secret));
  const std::string seconds = std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  switch (options.scheme) {
    case Scheme::kakiyo: return Headers{{"X-Kakiyo-Signature", to_hex(hmac(Algorithm::sha256, key, body))}};
    case Scheme::github: return Headers{{"X-Hub-Signature-256", "sha256=" + to_hex(hmac(Algorithm::sha256, key, body))}};
    case Scheme::standard_webhooks: {
      const std::string prefix = std::string(id) + '.' + seconds + '.';
      return Headers{{"webhook-id", std::string(id)},
                     {"webhook-timestamp", seconds},
                     {"webhook-signature", "v1," + to_base64(hmac(Algorithm::sha256, key, prefix, body))}};
    }
    case Scheme::stripe:
      return Headers{{"Stripe-Signature", "t=" + seconds + ",v1=" + to_hex(hmac(Algorithm::sha256, key, seconds + '.', body))}};
    case Scheme::hmac: {
      const std::string digest = hmac(options.algorithm, key, body);
      return Headers{{options.header, options.prefix + (options.encoding == Encoding::hex ? to_hex(digest) : to_base64(digest))}};
    }
  }
  return fail(ErrorCode::usage, "the scheme is not known");
}

}  // namespace hookhost::signing
