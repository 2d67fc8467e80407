#include "signing/sign.h"

#include "base/bytes.h"

namespace hookhost::signing {

namespace {

std::string seconds_of(WallTime now) { return std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count()); }

}  // namespace

Result<std::string> signature(const SchemeOptions& options, std::string_view secret, std::string_view id, WallTime now, std::string_view body) {
  HOOKHOST_TRY(const std::string key, key_of(options.scheme, secret));
  switch (options.scheme) {
    case Scheme::kakiyo: return to_hex(hmac(Algorithm::sha256, key, body));
    case Scheme::github: return "sha256=" + to_hex(hmac(Algorithm::sha256, key, body));
    case Scheme::standard_webhooks: {
      const std::string prefix = std::string(id) + '.' + seconds_of(now) + '.';
      return "v1," + to_base64(hmac(Algorithm::sha256, key, prefix, body));
    }
    case Scheme::stripe: {
      const std::string seconds = seconds_of(now);
      return "t=" + seconds + ",v1=" + to_hex(hmac(Algorithm::sha256, key, seconds + '.', body));
    }
    case Scheme::hmac: {
      const std::string digest = hmac(options.algorithm, key, body);
      return options.prefix + (options.encoding == Encoding::hex ? to_hex(digest) : to_base64(digest));
    }
  }
  return fail(ErrorCode::usage, "the scheme is not known");
}

Result<std::vector<std::pair<std::string, std::string>>> sign(const SchemeOptions& options, std::string_view secret, std::string_view id,
                                                              WallTime now, std::string_view body) {
  using Headers = std::vector<std::pair<std::string, std::string>>;
  HOOKHOST_TRY(std::string value, signature(options, secret, id, now, body));
  switch (options.scheme) {
    case Scheme::kakiyo: return Headers{{"X-Kakiyo-Signature", std::move(value)}};
    case Scheme::github: return Headers{{"X-Hub-Signature-256", std::move(value)}};
    case Scheme::standard_webhooks:
      return Headers{{"webhook-id", std::string(id)}, {"webhook-timestamp", seconds_of(now)}, {"webhook-signature", std::move(value)}};
    case Scheme::stripe: return Headers{{"Stripe-Signature", std::move(value)}};
    case Scheme::hmac: return Headers{{options.header, std::move(value)}};
  }
  return fail(ErrorCode::usage, "the scheme is not known");
}

}  // namespace hookhost::signing
