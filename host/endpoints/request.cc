#include "endpoints/request.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "endpoints/address_guard.h"
#include "signing/sign.h"

namespace hookhost::endpoints {
namespace {

using http_client::Headers;

constexpr std::string_view kPreviousSignature = "X-Kakiyo-Signature-Previous";

// Of one connection only (RFC 9110, 7.6.1), or made anew for each.
constexpr std::array<std::string_view, 14> kOfTheConnection{"Host",       "Connection",        "Keep-Alive",       "Proxy-Connection",    "Proxy-Authorization",
                                                            "TE",         "Trailer",           "Transfer-Encoding", "Upgrade",            "Expect",
                                                            "Content-Length", "Accept-Encoding", "Proxy-Authenticate", "HTTP2-Settings"};
constexpr std::array<std::string_view, 7> kOfSigning{"X-Kakiyo-Signature", kPreviousSignature, "webhook-id", "webhook-timestamp", "webhook-signature",
                                                     "Content-Type",       "User-Agent"};
constexpr std::string_view kOwnPrefix = "Hookhost-";
constexpr std::size_t kHeaderBytesUsual = 640;

template <class Names>
bool among(const Names& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return equals_ignoring_case(one, name); });
}

bool is_marker(std::string_view name) { return name.size() > kOwnPrefix.size() && equals_ignoring_case(name.substr(0, kOwnPrefix.size()), kOwnPrefix); }

// Of an event whose sender chose it: anything but text of one line would be refused on the way, each time again, and the endpoint is not to blame.
// A space at either end would not arrive, or not be taken (RFC 9113, 8.2.1). What came as a header, Content-Type among them, http has judged.
void add_text(std::string_view name, std::string_view text, Headers& out) {
  const auto may_stand = [&](std::size_t n) {
    const auto byte = static_cast<unsigned char>(text[n]);
    return byte >= ' ' && byte != 0x7f && (byte != ' ' || (n > 0 && n + 1 < text.size()));
  };
  std::size_t good = 0;
  while (good < text.size() && may_stand(good)) ++good;
  if (good == text.size()) return out.add(name, text);
  std::string encoded(text.substr(0, good));
  for (std::size_t n = good; n < text.size(); ++n) {
    if (may_stand(n)) {
      encoded += text[n];
    } else {
      encoded += '%' + to_hex(text.substr(n, 1));
    }
  }
  out.add(name, encoded);
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
  return signing::signature({.scheme = scheme}, secret, event.id.value, now, event.body).value();
}

void add_signatures(const Endpoint& endpoint, const event_log::Event& event, WallTime now, Headers& out) {
  const bool both = endpoint.signing == Signing::both;
  const auto secrets = valid_secrets(endpoint, now);
  if (both || endpoint.signing == Signing::kakiyo) {
    if (!secrets.empty()) out.add("X-Kakiyo-Signature", signature_of(signing::Scheme::kakiyo, *secrets[0], event, now));
    if (secrets.size() > 1) out.add(kPreviousSignature, signature_of(signing::Scheme::kakiyo, *secrets[1], event, now));
  }
  if (both || endpoint.signing == Signing::standard_webhooks) {
    std::string all;
    for (const auto* secret : secrets) all += (all.empty() ? "" : " ") + signature_of(signing::Scheme::standard_webhooks, *secret, event, now);
    out.add("webhook-id", event.id.value);
    out.add("webhook-timestamp", std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count()));
    if (!all.empty()) out.add("webhook-signature", all);
  }
}

}  // namespace

std::shared_ptr<const http_client::Route> route_of(const Endpoint& endpoint, std::uint64_t group) {
  http_client::Route out;
  out.url = endpoint.url;
  out.may_connect = [guard = AddressGuard(endpoint.allowed_networks)](const IpAddress& address) { return guard.permits(address); };
  out.ca_file = endpoint.ca_file;
  out.certificate_file = endpoint.certificate_file;
  out.key_file = endpoint.key_file;
  out.proxy = endpoint.proxy;
  out.group = group;
  return std::make_shared<const http_client::Route>(std::move(out));
}

http_client::Transfer make_request(const Endpoint& endpoint, const Sending& sending, std::string_view user_agent, WallTime now) {
  const event_log::Event& event = *sending.event;
  http_client::Transfer out;
  out.body = event.body;
  out.body_owner = sending.event;
  out.timeout = endpoint.policy.timeout;
  Headers& headers = out.headers;
  headers.reserve(kHeaderBytesUsual);
  if (endpoint.signing == Signing::pass_through) {
    for (const auto& [name, value] : event.headers) {
      if (!among(kOfTheConnection, name) && !is_marker(name)) headers.add(name, value);
    }
  } else {
    headers.add("Content-Type", event.content_type.empty() ? std::string_view("application/json") : event.content_type);
    headers.add("User-Agent", user_agent);
    add_signatures(endpoint, event, now, headers);
  }
  for (const auto& [name, value] : endpoint.headers) headers.add(name, value);
  add_text("Hookhost-Type", event.type, headers);
  add_text("Hookhost-Source", event.source, headers);
  headers.add("Hookhost-Attempt", std::to_string(sending.attempt.value));
  if (sending.replay) headers.add("Hookhost-Replay", "true");
  if (sending.test) headers.add("Hookhost-Test", "true");
  return out;
}

bool is_own_header(std::string_view name) { return among(kOfTheConnection, name) || among(kOfSigning, name) || is_marker(name); }

}  // namespace hookhost::endpoints
