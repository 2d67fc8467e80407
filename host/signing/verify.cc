#include "signing/verify.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"

namespace hookhost::signing {
namespace {

constexpr std::size_t kSignaturesMax = 16;  // in one header; more is no provider's doing

// What a request's headers say: digests that may match, and what is signed before the body.
struct Claim {
  Algorithm algorithm = Algorithm::sha256;
  std::vector<std::string> digests;  // decoded
  std::string signed_prefix;         // what stands before the body
  std::optional<WallTime> timestamp;
};

struct Refusal {
  ErrorCode code;
  std::string why;
};

using ClaimOrRefusal = std::pair<std::optional<Claim>, Refusal>;

ClaimOrRefusal refuse(ErrorCode code, std::string why) { return {std::nullopt, {code, std::move(why)}}; }
ClaimOrRefusal accept(Claim claim) { return {std::move(claim), {ErrorCode::invalid_signature, {}}}; }

// The one header of that name; null with `refusal` set when it is missing, empty or there twice.
const std::string_view* one_header(std::span<const HeaderView> headers, std::string_view name, Refusal& refusal) {
  const std::string_view* found = nullptr;
  for (const HeaderView& header : headers) {
    if (!equals_ignoring_case(header.name, name)) continue;
    if (found != nullptr) {
      refusal = {ErrorCode::malformed_signature, "there are two " + std::string(name) + " headers; the sender must send one"};
      return nullptr;
    }
    found = &header.value;
  }
  if (found == nullptr || found->empty()) {
    refusal = {ErrorCode::missing_signature, "the " + std::string(name) + " header is missing; is a secret set at the sender?"};
    return nullptr;
  }
  return found;
}

std::optional<std::string> decode(Encoding encoding, std::string_view text) { return encoding == Encoding::hex ? from_hex(text) : from_base64(text); }

std::size_t digest_bytes(Algorithm algorithm) { return algorithm == Algorithm::sha1 ? 20 : algorithm == Algorithm::sha256 ? 32 : 64; }

// kakiyo, github and hmac: one digest over the body.
ClaimOrRefusal claim_of_body(std::span<const HeaderView> headers, std::string_view name, Algorithm algorithm, Encoding encoding,
                             std::string_view prefix, bool prefix_required) {
  Refusal refusal{};
  const std::string_view* value = one_header(headers, name, refusal);
  if (value == nullptr) return {std::nullopt, refusal};
  std::string_view text = *value;
  if (text.starts_with(prefix)) {
    text.remove_prefix(prefix.size());
  } else if (prefix_required) {
    return refuse(ErrorCode::malformed_signature, std::string(name) + " does not begin with '" + std::string(prefix) + "'");
  }
  auto digest = decode(encoding, text);
  if (!digest || digest->size() != digest_bytes(algorithm)) {
    return refuse(ErrorCode::malformed_signature, std::string(name) + " is not the " + (encoding == Encoding::hex ? "hexadecimal" : "Base64") +
                                                      " form of " + std::to_string(digest_bytes(algorithm)) + " bytes");
  }
  Claim claim;
  claim.algorithm = algorithm;
  claim.digests.push_back(std::move(*digest));
  return accept(std::move(claim));
}

std::optional<WallTime> timestamp_of(std::string_view text) {
  const auto seconds = parse_u64(text);
  if (!seconds || *seconds > 9'000'000'000) return std::nullopt;
  return WallTime{std::chrono::seconds{static_cast<std::int64_t>(*seconds)}};
}

ClaimOrRefusal claim_of_standard(std::span<const HeaderView> headers) {
  Refusal refusal{};
  const std::string_view* signature = one_header(headers, "webhook-signature", refusal);
  const std::string_view* id = signature == nullptr ? nullptr : one_header(headers, "webhook-id", refusal);
  const std::string_view* time = id == nullptr ? nullptr : one_header(headers, "webhook-timestamp", refusal);
  if (time == nullptr) return {std::nullopt, refusal};
  Claim claim;
  claim.timestamp = timestamp_of(*time);
  if (!claim.timestamp) return refuse(ErrorCode::malformed_signature, "webhook-timestamp is not a number of seconds since 1970");
  claim.signed_prefix = std::string(*id) + '.' + std::string(*time) + '.';
  bool other_version = false;
  for (std::string_view rest = *signature; !rest.empty() && claim.digests.size() < kSignaturesMax;) {
    const auto space = rest.find(' ');
    const std::string_view one = rest.substr(0, space);
    rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
    if (!one.starts_with("v1,")) {
      other_version = other_version || !one.empty();
      continue;
    }
    auto digest = from_base64(one.substr(3));
    if (digest && digest->size() == 32) claim.digests.push_back(std::move(*digest));
  }
  if (claim.digests.empty()) {
    return refuse(ErrorCode::malformed_signature, other_version ? "webhook-signature holds no v1 signature" : "webhook-signature holds no Base64 of 32 bytes after v1,");
  }
  return accept(std::move(claim));
}

ClaimOrRefusal claim_of_stripe(std::span<const HeaderView> headers) {
  Refusal refusal{};
  const std::string_view* value = one_header(headers, "Stripe-Signature", refusal);
  if (value == nullptr) return {std::nullopt, refusal};
  Claim claim;
  std::string_view time;
  for (std::string_view rest = *value; !rest.empty() && claim.digests.size() < kSignaturesMax;) {
    const auto comma = rest.find(',');
    const std::string_view one = trim(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (one.starts_with("t=")) {
      if (!time.empty()) return refuse(ErrorCode::malformed_signature, "Stripe-Signature holds two timestamps");
      time = one.substr(2);
    } else if (one.starts_with("v1=")) {
      auto digest = from_hex(one.substr(3));
      if (digest && digest->size() == 32) claim.digests.push_back(std::move(*digest));
    }
  }
  claim.timestamp = timestamp_of(time);
  if (!claim.timestamp) return refuse(ErrorCode::malformed_signature, "Stripe-Signature holds no timestamp (t=...)");
  if (claim.digests.empty()) return refuse(ErrorCode::malformed_signature, "Stripe-Signature holds no v1 signature");
  claim.signed_prefix = std::string(time) + '.';
  return accept(std::move(claim));
}

ClaimOrRefusal claim_of(const SchemeOptions& options, std::span<const HeaderView> headers) {
  switch (options.scheme) {
    case Scheme::kakiyo: return claim_of_body(headers, "X-Kakiyo-Signature", Algorithm::sha256, Encoding::hex, "sha256=", false);
    case Scheme::github: return claim_of_body(headers, "X-Hub-Signature-256", Algorithm::sha256, Encoding::hex, "sha256=", true);
    case Scheme::standard_webhooks: return claim_of_standard(headers);
    case Scheme::stripe: return claim_of_stripe(headers);
    case Scheme::hmac:
      return claim_of_body(headers, options.header, options.algorithm, options.encoding, options.prefix, !options.prefix.empty());
  }
  return refuse(ErrorCode::malformed_signature, "the scheme is not known");
}

bool matches(const Claim& claim, std::string_view key, std::string_view body) {
  const std::string expected =
      claim.signed_prefix.empty() ? hmac(claim.algorithm, key, body) : hmac(claim.algorithm, key, claim.signed_prefix, body);
  bool any = false;
  for (const std::string& digest : claim.digests) any = constant_time_equal(digest, expected) || any;
  return any;
}

bool is_expired(const Secret& secret, WallTime now) { return secret.until && now >= *secret.until; }

}  // namespace

Verdict verify(const SchemeOptions& options, std::span<const Secret> secrets, std::span<const HeaderView> headers, std::string_view body,
               WallTime now) {
  Verdict verdict;
  auto [claim, refusal] = claim_of(options, headers);
  if (!claim) {
    verdict.refusal = refusal.code;
    verdict.why = std::move(refusal.why);
    return verdict;
  }
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    const auto key = key_of(options.scheme, secrets[i].value);
    if (!key || !matches(*claim, key.value(), body)) continue;
    if (is_expired(secrets[i], now)) {
      verdict.why = "the signature matches secret " + std::to_string(i + 1) + ", which expired " + to_rfc3339(*secrets[i].until).substr(0, 10);
      continue;
    }
    if (claim->timestamp && std::chrono::abs(now - *claim->timestamp) > options.tolerance) {
      verdict.refusal = ErrorCode::stale_timestamp;
      verdict.why = "the signature is right, but its timestamp " + to_rfc3339(*claim->timestamp) + " is more than the tolerance away from now";
      return verdict;
    }
    verdict.ok = true;
    verdict.secret = i;
    verdict.why = "the signature matches secret " + std::to_string(i + 1);
    return verdict;
  }
  if (verdict.why.empty()) verdict.why = "no configured secret makes this signature over the body as it arrived";
  return verdict;
}

std::string explain(const SchemeOptions& options, std::span<const Secret> secrets, std::span<const HeaderView> headers, std::string_view body,
                    WallTime now) {
  const Verdict verdict = verify(options, secrets, headers, body, now);
  std::string out = verdict.ok ? "valid: " : std::string(to_string(verdict.refusal)) + ": ";
  out += verdict.why + "\nscheme: " + std::string(to_string(options.scheme)) + "\nsecrets tried: " + std::to_string(secrets.size()) +
         "\nbody: " + std::to_string(body.size()) + " bytes, SHA-256 " + to_hex(sha256(body)) + '\n';
  if (!verdict.ok && verdict.refusal == ErrorCode::invalid_signature) {
    const bool newline = body.ends_with('\n');
    out += newline ? "hint: the body ends with a newline; webhooks rarely do, was it added when the file was saved?\n"
                   : "hint: the signature is over the exact bytes; a body that was parsed and printed again does not match\n";
  }
  return out;
}

}  // namespace hookhost::signing
