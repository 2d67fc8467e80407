#include <algorithm>
#include <array>

#include "api/v1_fields.h"
#include "api/v1_json.h"
#include "api/v1_routes.h"
#include "api/v1_views.h"
#include "base/units.h"
#include "delivery/schedule.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kSecretBytesMax = 512;
constexpr std::size_t kEventsMax = 100;
constexpr std::size_t kEventBytesMax = 200;
constexpr std::size_t kHeadersMax = 32;
constexpr std::size_t kHeaderBytesMax = 1024;
constexpr std::size_t kRetriesMax = 32;

std::optional<std::vector<std::string>> read_events(V1Fields& fields, const V1Types& types) {
  auto events = fields.texts("events", kEventsMax, kEventBytesMax);
  if (!events) return events;
  if (events->empty()) fields.problem("events", "must name at least one event");
  for (std::size_t i = 0; i < events->size(); ++i) {
    if ((*events)[i] == "*" || types.contains((*events)[i])) continue;
    fields.problem("events[" + std::to_string(i) + "]", "is not a webhook event; GET /v1/webhooks/events lists them");
  }
  std::sort(events->begin(), events->end());
  events->erase(std::unique(events->begin(), events->end()), events->end());
  return events;
}

// A schedule's name, or its delays.
std::optional<std::vector<Duration>> read_retry(V1Fields& fields, const json::object& members) {
  const json::value* value = members.if_contains("retry");
  if (value != nullptr && value->is_string()) {
    const auto name = fields.one_of("retry", {"kakiyo", "standard", "days"});
    if (!name) return std::nullopt;
    return delivery::schedule_named(*name).value();
  }
  const auto written = fields.texts("retry", kRetriesMax, 32);
  if (!written) return std::nullopt;
  std::vector<Duration> out;
  for (const std::string& one : *written) {
    const auto delay = parse_duration(one);
    if (!delay) {
      fields.problem("retry[" + std::to_string(out.size()) + "]", "must be a duration such as \"30s\", \"5m\" or \"24h\"");
      return std::nullopt;
    }
    out.push_back(delay.value());
  }
  return out;
}

// What creation and change have in common.
EndpointWishes read_wishes(V1Fields& fields, const json::object& members, const V1Types& types) {
  EndpointWishes out;
  out.name = fields.text("name", 1, kNameBytesMax);
  out.url = fields.text("url", 1, kUrlBytesMax);
  out.events = read_events(fields, types);
  out.secret = fields.text("secret", 0, kSecretBytesMax);
  out.active = fields.flag("active");
  out.signing = fields.one_of("signing", {"both", "kakiyo", "standard-webhooks", "pass_through", "none"});
  out.profile = fields.one_of("profile", {"kakiyo", "standard"});
  out.retry = read_retry(fields, members);
  out.timeout = fields.duration("timeout");
  if (const auto concurrency = fields.whole("concurrency", 1, 1000)) out.concurrency = static_cast<std::uint32_t>(*concurrency);
  out.rate = fields.number("rate", 0, 1e6);
  out.headers = fields.text_map("headers", kHeadersMax, kHeaderBytesMax);
  return out;
}

void add_unknown(json::object& answer, const V1Fields& fields) {
  json::array ignored;
  for (const std::string& name : fields.unknown()) ignored.emplace_back(name);
  if (!ignored.empty()) answer["ignored"] = std::move(ignored);
}

Result<V1Reply> list(const V1Call& call) {
  json::array out;
  for (const EndpointInfo& one : call.control.endpoints(call.team)) out.push_back(webhook_view(one));
  return V1Reply{200, std::move(out)};
}

Result<V1Reply> show(const V1Call& call) {
  HOOKHOST_TRY(const auto endpoint, call.control.endpoint(call.team, call.webhook_id()));
  return V1Reply{200, webhook_view(endpoint)};
}

Result<V1Reply> create(const V1Call& call) {
  HOOKHOST_TRY(const auto members, parse_object(call.body));
  V1Fields fields(members);
  for (const char* name : {"name", "url", "events"}) fields.require(name);
  auto wishes = read_wishes(fields, members, call.types);
  wishes.since = fields.text("since", 1, 64);
  HOOKHOST_CHECK(fields.finish());
  HOOKHOST_TRY(const auto made, call.control.create(call.team, wishes));
  const json::object view = webhook_view(made);
  json::object out;
  for (const char* name : {"id", "name", "url", "events", "active"}) out[name] = view.at(name);
  out["message"] = "Webhook created successfully";
  add_unknown(out, fields);
  return V1Reply{201, std::move(out)};
}

Result<V1Reply> update(const V1Call& call) {
  HOOKHOST_TRY(const auto members, parse_object(call.body));
  V1Fields fields(members);
  auto wishes = read_wishes(fields, members, call.types);
  wishes.secret_grace = fields.duration("secretGrace");
  if (wishes.secret_grace > kSecretGraceMax) fields.problem("secretGrace", "must be 0s to 365d");
  if (const auto resume = fields.one_of("resume", {"now", "backlog"})) {
    wishes.backlog = *resume == "backlog";
    if (wishes.active != true) fields.problem("resume", "only goes with \"active\": true");
  }
  HOOKHOST_CHECK(fields.finish());
  HOOKHOST_TRY(const auto changed, call.control.update(call.team, call.webhook_id(), wishes));
  json::object out{{"id", changed.endpoint.id}, {"message", "Webhook updated successfully"}};
  if (const auto& why = changed.endpoint.paused_reason; why && wishes.active == true) {  // what its owner switched is on, and still it stands
    out["message"] = "Webhook updated; it stays off and nothing is sent to it until the operator of this host lets it go on: " + *why;
    out["pausedReason"] = *why;
  }
  if (changed.skipped) out["skipped"] = *changed.skipped;
  if (changed.replay_cancelled) out["replayCancelled"] = true;
  add_unknown(out, fields);
  return V1Reply{200, std::move(out)};
}

Result<V1Reply> remove(const V1Call& call) {
  HOOKHOST_CHECK(call.control.remove(call.team, call.webhook_id()));
  return V1Reply{200, json::object{{"id", call.webhook_id()}, {"message", "Webhook deleted successfully"}}};
}

Result<V1Reply> verify(const V1Call& call) {
  return V1Reply{200, json::object{{"status", "success"}, {"message", "API key is valid"}, {"teamId", call.team}}};
}

constexpr std::array kRoutes{
    V1Route{"GET", "/v1/verify", V1Rate::high, verify},
    V1Route{"GET", "/v1/webhooks", V1Rate::medium, list},
    V1Route{"POST", "/v1/webhooks", V1Rate::low, create},
    V1Route{"GET", "/v1/webhooks/*", V1Rate::none, show},
    V1Route{"PUT", "/v1/webhooks/*", V1Rate::low, update},
    V1Route{"DELETE", "/v1/webhooks/*", V1Rate::low, remove},
};

}  // namespace

std::span<const V1Route> v1_webhook_routes() { return kRoutes; }

}  // namespace hookhost::api
