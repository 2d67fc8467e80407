#include "app/endpoint_info.h"

#include <tuple>

namespace hookhost::app {

std::string standstill(const api::EndpointInfo& endpoint) {
  const auto& [state, reason] = std::tie(endpoint.status.state, endpoint.status.reason);
  if (state == "disabled") return "nothing can be sent to it: " + reason;
  if (state == "paused" && reason != kSwitchedOff) return "the operator of this host has paused it, and only the operator lets it go on";
  if (state == "stopped" || state == "paused" || !endpoint.active) return "it is switched off or disabled now; PUT \"active\": true first";
  return {};
}

api::EndpointInfo describe(const BuiltEndpoint& built, delivery::SubscriberStatus status) {
  const endpoints::Endpoint& from = built.endpoint;
  api::EndpointInfo out;
  out.id = out.name = from.id.value;
  out.url = from.url;
  out.team = from.team;
  for (const Pattern& pattern : from.events) out.events.push_back(pattern.text());
  out.active = status.state != "stopped";
  if (status.state == "stopped" || status.state == "paused" || status.state == "disabled") out.paused_reason = status.reason;
  out.has_secret = !from.secrets.empty();
  out.signing = endpoints::to_string(from.signing);
  out.profile = endpoints::to_string(built.profile);
  out.retry = from.policy.retry;
  out.timeout = from.policy.timeout;
  out.concurrency = from.concurrency;
  out.rate = from.rate;
  for (const auto& [name, value] : from.headers) out.headers.push_back(name);
  out.status = std::move(status);
  return out;
}

api::EndpointInfo describe(const config::Endpoint& said, const config::EndpointDefaults& defaults, delivery::SubscriberStatus status) {
  auto out = describe(build(said, defaults), std::move(status));
  out.origin = "yaml";
  out.active = out.active && said.enabled;
  return out;
}

Result<api::EndpointInfo> describe(const state::WebhookRow& row, const EndpointRules& rules, delivery::SubscriberStatus status) {
  HOOKHOST_TRY(const auto built, build(row, rules));
  auto out = describe(built, std::move(status));
  out.name = row.name;
  out.origin = row.origin;
  out.active = out.active && row.active;
  out.created_at = row.created_at;
  return out;
}

api::EndpointInfo describe(const Forward& forward, delivery::SubscriberStatus status) {
  auto out = describe(BuiltEndpoint{forward.endpoint, endpoints::Profile::standard}, std::move(status));
  out.name = forward.source;
  out.origin = "forward";
  out.created_at = forward.created_at;
  return out;
}

}  // namespace hookhost::app
