// What was sent to a webhook, and sending it again.
#include <array>

#include "api/arguments.h"
#include "api/v1_fields.h"
#include "api/v1_json.h"
#include "api/v1_routes.h"
#include "api/v1_views.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kShownMax = 500;
constexpr std::size_t kShownDefault = 100;
constexpr std::size_t kPlaceBytesMax = 64;

// Newest first.
Result<V1Reply> list(const V1Call& call) {
  HOOKHOST_TRY(auto arguments, Arguments::from_query(call.query));
  const auto limit = arguments.number("limit");
  if (!limit || limit.value().value_or(1) == 0 || limit.value().value_or(1) > kShownMax) {
    return fail(ErrorCode::usage, "limit: must be a whole number from 1 to " + std::to_string(kShownMax));
  }
  const auto event = arguments.text("eventId");
  if (!event) return fail(ErrorCode::usage, "eventId: must be given once");
  state::AttemptQuery query{.offset = {}, .id = {}, .limit = limit.value().value_or(kShownDefault)};
  if (event.value()) query.id = EventId{*event.value()};
  HOOKHOST_TRY(const auto attempts, call.control.attempts(call.team, call.webhook_id(), query));
  json::array out;
  for (const auto& one : attempts) out.push_back(attempt_view(one));
  return V1Reply{200, std::move(out)};
}

Result<V1Reply> retry(const V1Call& call) {
  const std::string& event = call.path.at(4);
  HOOKHOST_CHECK(call.control.retry(call.team, call.webhook_id(), event));
  return V1Reply{202, json::object{{"id", call.webhook_id()}, {"eventId", event}, {"message", "Delivery is tried again now"}}};
}

Result<V1Reply> replay(const V1Call& call) {
  HOOKHOST_TRY(const auto members, parse_object(call.body));
  V1Fields fields(members);
  fields.require("since");
  const auto since = fields.text("since", 1, kPlaceBytesMax);
  const auto until = fields.text("until", 1, kPlaceBytesMax);
  HOOKHOST_CHECK(fields.finish());
  HOOKHOST_TRY(const auto matching, call.control.replay(call.team, call.webhook_id(), {*since, until}));
  return V1Reply{202, json::object{{"id", call.webhook_id()}, {"message", "Replay started"}, {"eventsCount", matching}}};
}

constexpr std::array kRoutes{
    V1Route{"GET", "/v1/webhooks/*/deliveries", V1Rate::none, list},
    V1Route{"POST", "/v1/webhooks/*/deliveries/*/retry", V1Rate::low, retry},
    V1Route{"POST", "/v1/webhooks/*/replays", V1Rate::low, replay},
};

}  // namespace

std::span<const V1Route> v1_delivery_routes() { return kRoutes; }

}  // namespace hookhost::api
