#include "endpoints/request.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "endpoints/address_guard.h"
#include "signing/sign.h"

namespace hookhost::endpoints {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kPreviousSignature = "X-Kakiyo-Signature-Previous";

// Of one connection only (RFC 9110, 7.6.1), or made anew for each.
constexpr std::array<std::string_view, 14> kOfTheConnection{"Host",       "Connection",        "Keep-Alive",       "Proxy-Connection",    "Proxy-Authorization",
                                                            "TE",         "Trailer",           "Transfer-Encoding", "Upgrade",            "Expect",
                                                            "Content-Length", "Accept-Encoding", "Proxy-Authenticate", "HTTP2-Settings"};
constexpr std::array<std::string_view, 7> kOfSigning{"X-Kakiyo-Signature", kPreviousSignature, "webhook-id", "webhook-timestamp", "webhook-signature",
                                                     "Content-Type",       "User-Agent"};
constexpr std::string_view kOwnPrefix = "Hookhost-";

template <class Names>
bool among(const Names& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return equals_ignoring_case(one, name); });
}

bool is_marker(std::string_view name) { return name.size() > kOwnPrefix.size() && equals_ignoring_case(name.substr(0, kOwnPrefix.size()), kOwnPrefix); }

// Of an event whose sender chose it: anything but text of one line would be refused on the way, each time again, and the endpoint is not to blame.
// A space at either end would not arrive, or not be taken (RFC 9113, 8.2.1). What came as a header, Content-Type among them, http has judged.
std::string header_value(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto byte = static_cast<unsigned char>(text[n]);
    const bool is_outer_space = byte == ' ' && (n == 0 || n + 1 == text.size());
    if (byte < ' ' || byte == 0x7f || is_outer_space) {
      out += '%' + to_hex(text.substr(n, 1));
    } else {
      out += text[n];
    }
  }
  return out;
}

std::vector<const std::string*> valid_secrets(const Endpoint& endpoint, WallTime now) {
  std::vector<const std::string*> out;
  for (const auto& secret : endpoint.secrets) {
    if (!secret.until || now < *secret.until) out.push_back(&secret.value);
  }
  return out;
}

// check() has seen that the secrets can be keys.
std::string signature_of(signing::Scheme scheme, const std::string& secret, const event_log::Event& event, WallTime now) {
  return signing::sign({.scheme = scheme}, secret, event.id.value, now, event.body).value().back().second;
}

void add_signatures(const Endpoint& endpoint, const event_log::Event& event, WallTime now, Headers& out) {
  const bool both = endpoint.signing == Signing::both;
  const auto secrets = valid_secrets(endpoint, now);
  if (both || endpoint.signing == Signing::kakiyo) {
    if (!secrets.empty()) out.emplace_back("X-Kakiyo-Signature", signature_of(signing::Scheme::kakiyo, *secrets[0], event, now));
    if (secrets.size() > 1) out.emplace_back(kPreviousSignature, signature_of(signing::Scheme::kakiyo, *secrets[1], event, now));
  }
  if (both || endpoint.signing == Signing::standard_webhooks) {
    std::string all;
    for (const auto* secret : secrets) all += (all.empty() ? "" : " ") + signature_of(signing::Scheme::standard_webhooks, *secret, event, now);
    out.emplace_back("webhook-id", event.id.value);
    out.emplace_back("webhook-timestamp", std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count()));
    if (!all.empty()) out.emplace_back("webhook-signature", std::move(all));
  }
}

}  // namespace

http_client::Transfer make_request(const Endpoint& endpoint, const Sending& sending, std::string_view user_agent, WallTime now) {
  const event_log::Event& event = *sending.event;
  Headers headers;
  if (endpoint.signing == Signing::pass_through) {
    for (const auto& [name, value] : event.headers) {
      if (!among(kOfTheConnection, name) && !is_marker(name)) headers.emplace_back(name, value);
    }
  } else {
    headers.emplace_back("Content-Type", event.content_type.empty() ? "application/json" : event.content_type);
    headers.emplace_back("User-Agent", user_agent);
    add_signatures(endpoint, event, now, headers);
  }
  for (const auto& [name, value] : endpoint.headers) headers.emplace_back(name, value);
  headers.emplace_back("Hookhost-Type", header_value(event.type));
  headers.emplace_back("Hookhost-Source", header_value(event.source));
  headers.emplace_back("Hookhost-Attempt", std::to_string(sending.attempt.value));
  if (sending.replay) headers.emplace_back("Hookhost-Replay", "true");
  if (sending.test) headers.emplace_back("Hookhost-Test", "true");
  return {.method = "POST",
          .url = endpoint.url,
          .headers = std::move(headers),
          .body = event.body,
          .body_owner = sending.event,
          .timeout = endpoint.policy.timeout,
          .may_connect = [guard = AddressGuard(endpoint.allowed_networks)](const IpAddress& address) { return guard.permits(address); },
          .ca_file = endpoint.ca_file,
          .certificate_file = endpoint.certificate_file,
          .key_file = endpoint.key_file,
          .proxy = endpoint.proxy};
}

bool is_own_header(std::string_view name) { return among(kOfTheConnection, name) || among(kOfSigning, name) || is_marker(name); }

}  // namespace hookhost::endpoints
