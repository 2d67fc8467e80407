#include "endpoints/endpoint.h"

#include <array>

#include "base/http_token.h"
#include "endpoints/address_guard.h"
#include "endpoints/request.h"
#include "http_client/url.h"

namespace hookhost::endpoints {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::pair<Signing, std::string_view>, 5> kSignings{{{Signing::both, "both"},
                                                                         {Signing::kakiyo, "kakiyo"},
                                                                         {Signing::standard_webhooks, "standard-webhooks"},
                                                                         {Signing::pass_through, "pass_through"},
                                                                         {Signing::none, "none"}}};
constexpr std::array<std::pair<Profile, std::string_view>, 2> kProfiles{{{Profile::kakiyo, "kakiyo"}, {Profile::standard, "standard"}}};

template <class Table>
auto name_of(const Table& table, decltype(table[0].first) value) {
  for (const auto& [one, name] : table) {
    if (one == value) return name;
  }
  return std::string_view{};
}

bool is_header_value(std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

Result<> check_proxy(const std::string& proxy) {
  if (proxy.empty()) return success();
  const auto url = http_client::parse_url(proxy);
  if (url && (url.value().scheme == "http" || url.value().scheme == "https")) return success();
  return fail(ErrorCode::usage, "the proxy is no URL that begins with http:// or https://");
}

}  // namespace

std::string_view to_string(Signing signing) { return name_of(kSignings, signing); }

Result<Signing> parse_signing(std::string_view text) {
  for (const auto& [value, name] : kSignings) {
    if (name == text) return value;
  }
  return fail(ErrorCode::usage, "'" + std::string(text) + "' is no way of signing; it is one of both, kakiyo, standard-webhooks, pass_through, none");
}

std::string_view to_string(Profile profile) { return name_of(kProfiles, profile); }

Result<Profile> parse_profile(std::string_view text) {
  for (const auto& [value, name] : kProfiles) {
    if (name == text) return value;
  }
  return fail(ErrorCode::usage, "'" + std::string(text) + "' is no profile; it is kakiyo or standard");
}

const ProfileValues& values_of(Profile profile) {
  static const ProfileValues kakiyo{delivery::schedule_kakiyo(), 10s, 4, 0s, false};
  static const ProfileValues standard{delivery::schedule_standard(), 30s, 20, 1h, true};
  return profile == Profile::kakiyo ? kakiyo : standard;
}

Result<> check_url(const Endpoint& endpoint) {
  HOOKHOST_TRY(const auto url, http_client::parse_url(endpoint.url));
  if (url.scheme != "https" && url.scheme != "http") return fail(ErrorCode::usage, "the URL must begin with https://");
  if (url.scheme == "http" && !endpoint.allow_http) return fail(ErrorCode::usage, "the URL must begin with https://; allow_http, its own or in endpoint_defaults, permits http://");
  if (url.has_user) return fail(ErrorCode::usage, "the URL must not carry a user or a password; use a header of the endpoint");
  if (const auto address = IpAddress::parse(url.host); address && endpoint.proxy.empty() && !AddressGuard(endpoint.allowed_networks).permits(*address)) {
    return fail(ErrorCode::usage, "the URL's address " + address->text() + " is not public; allowed_networks, its own or in endpoint_defaults, opens exceptions");
  }
  return success();
}

Result<> check_headers(const Endpoint& endpoint) {
  for (const auto& [name, value] : endpoint.headers) {
    if (!is_http_token(name)) return fail(ErrorCode::usage, "'" + name + "' is no name of a header");
    if (!is_header_value(value)) return fail(ErrorCode::usage, "the value of header '" + name + "' has characters that no header may have");
    if (is_own_header(name)) return fail(ErrorCode::usage, "header '" + name + "' is set by hookhost itself; choose another name");
  }
  return success();
}

Result<> check_secrets(const Endpoint& endpoint) {
  const bool standard = endpoint.signing == Signing::both || endpoint.signing == Signing::standard_webhooks;
  for (const auto& secret : endpoint.secrets) {
    if (secret.value.empty()) return fail(ErrorCode::usage, "the secret is empty; leave it out to send unsigned");
    if (standard) HOOKHOST_CHECK(signing::key_of(signing::Scheme::standard_webhooks, secret.value));
  }
  return success();
}

Result<> check(const Endpoint& endpoint) {
  HOOKHOST_CHECK(check_url(endpoint));
  HOOKHOST_CHECK(check_headers(endpoint));
  HOOKHOST_CHECK(check_secrets(endpoint));
  return check_proxy(endpoint.proxy);
}

delivery::SubscriberOptions subscriber_options(const Endpoint& endpoint) {
  return {.id = endpoint.id,
          .kind = "endpoint",
          .events = endpoint.events,
          .order_by = endpoint.order_by,
          .retry = endpoint.policy.retry,
          .timeout = endpoint.policy.timeout,
          .stop_after = endpoint.policy.disable_after,
          .stop_after_at_least = endpoint.policy.disable_after_at_least,
          .recovers = endpoint.policy.recovers,
          .team = endpoint.team,
          .rate = endpoint.rate,
          .keep_attempts = true};
}

}  // namespace hookhost::endpoints
