// One endpoint as deliveries see it: plain values with every default filled in. The composition root makes them from the configuration, from
// the registry (those made through /v1 or by command) and from `hookhost forward`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/pattern.h"
#include "base/result.h"
#include "delivery/options.h"
#include "signing/scheme.h"

namespace hookhost::endpoints {

// What a delivery carries beside the body, which is always the event's own bytes.
//   kakiyo             X-Kakiyo-Signature: the bare hexadecimal HMAC of the body
//   standard_webhooks  webhook-id, webhook-timestamp, webhook-signature
//   both               both sets; the default
//   pass_through       the headers that the event came with, the provider's signature among them
//   none               nothing
enum class Signing : std::uint8_t { both, kakiyo, standard_webhooks, pass_through, none };
[[nodiscard]] std::string_view to_string(Signing signing);  // "standard-webhooks"
// Error: usage, naming the five.
[[nodiscard]] Result<Signing> parse_signing(std::string_view text);

// Schedule, timeout and when it is disabled, in one word.
enum class Profile : std::uint8_t { kakiyo, standard };
[[nodiscard]] std::string_view to_string(Profile profile);
[[nodiscard]] Result<Profile> parse_profile(std::string_view text);

struct ProfileValues {
  std::vector<Duration> retry;
  Duration timeout;
  std::uint32_t disable_after;      // deliveries given up in a row
  Duration disable_after_at_least;  // and for at least this long
  bool recovers;                    // tries itself again when it was disabled
};
// kakiyo: 1s 2s 4s, 10 s a try, disabled after 4, for good. standard: 5s to 24h, 30 s a try, disabled after 20 over at least an hour, recovers.
[[nodiscard]] const ProfileValues& values_of(Profile profile);

struct Endpoint {
  SubscriberId id;                  // its name in the YAML file, or "webhook_..."
  std::string url;
  std::optional<std::string> team;  // it gets only this team's events
  std::vector<Pattern> events;
  Signing signing = Signing::both;
  std::vector<signing::Secret> secrets;  // the newest first; more than one while a rotation's grace time lasts
  std::vector<std::pair<std::string, std::string>> headers;  // of the endpoint's own
  ProfileValues policy = values_of(Profile::standard);
  std::uint32_t concurrency = 8;    // requests at once
  double rate = 0;                  // requests a second; 0: no limit
  bool allow_http = false;
  std::vector<Network> allowed_networks;
  std::string ca_file, certificate_file, key_file;  // PEM; empty: the system's roots, no client certificate
  std::string proxy;                // forward proxy, "http://host:port"; it connects, so it must guard the addresses
  delivery::OrderBy order_by;
};

// Would deliveries to it be possible at all? Error: usage, naming what to change: the URL's form or scheme, user info in it, a literal address
// that is not allowed, a header that hookhost sets itself, a secret that cannot be a key. Names are judged when they are connected to.
[[nodiscard]] Result<> check(const Endpoint& endpoint);
// Its parts, each alone.
[[nodiscard]] Result<> check_url(const Endpoint& endpoint);
[[nodiscard]] Result<> check_headers(const Endpoint& endpoint);
[[nodiscard]] Result<> check_secrets(const Endpoint& endpoint);

[[nodiscard]] delivery::SubscriberOptions subscriber_options(const Endpoint& endpoint);

}  // namespace hookhost::endpoints
