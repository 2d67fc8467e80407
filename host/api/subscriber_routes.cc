#include <algorithm>
#include <array>

#include "api/arguments.h"
#include "api/json_views.h"
#include "api/routes.h"
#include "base/bytes.h"
#include "base/event_id.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

Result<json::value> list(HostControl& host, const AdminCall&, const Path&) {
  json::array out;
  for (const auto& one : host.engine().status()) out.push_back(view(one));
  return json::value(std::move(out));
}

Result<json::value> show(HostControl& host, const AdminCall&, const Path& path) {
  HOOKHOST_TRY(const auto status, host.engine().status(SubscriberId{path[2]}));
  return json::value(view(status));
}

Result<json::value> pause(HostControl& host, const AdminCall&, const Path& path) {
  HOOKHOST_CHECK(host.engine().pause(SubscriberId{path[2]}));
  return done();
}

Result<json::value> forget(HostControl& host, const AdminCall&, const Path& path) {
  HOOKHOST_CHECK(host.forget(SubscriberId{path[2]}));
  return done();
}

// Changes the subscriber that the path names.
template <Result<> (delivery::Engine::*kChange)(const SubscriberId&)>
Result<json::value> change(HostControl& host, const AdminCall&, const Path& path) {
  HOOKHOST_CHECK((host.engine().*kChange)(SubscriberId{path[2]}));
  return done();
}

// What waits is remembered by its offset only; the event log knows the id and the type. What retention took stays without.
Result<> name_events(HostControl& host, std::vector<delivery::DeliveryStatus>& all) {
  HOOKHOST_TRY(auto cursor, host.feed().cursor());
  for (delivery::DeliveryStatus& one : all) {
    if (!one.id.value.empty()) continue;
    HOOKHOST_TRY(const auto found, cursor->scan(one.offset, one.offset.next(), 1, 1, 1, [](const event_log::EventHead&) { return true; }));
    if (found.events.empty()) continue;
    one.id = found.events.front()->id;
    one.type = found.events.front()->type;
  }
  return success();
}

// `event`: an offset or an id.
Result<std::vector<delivery::DeliveryStatus>> deliveries_of(HostControl& host, delivery::DeliveryQuery query, const std::optional<std::string>& event) {
  const auto offset = event ? parse_u64(*event) : std::nullopt;
  if (event && !offset && !is_event_id(*event)) return fail(ErrorCode::usage, "'event' must be an offset or an event's id (evt_...)");
  if (offset) query.offset = Offset{*offset};
  auto all = host.engine().deliveries(query);
  HOOKHOST_CHECK(name_events(host, all));
  if (event && !offset) std::erase_if(all, [&](const auto& one) { return one.id.value != *event; });
  return all;
}

Result<json::value> list_deliveries(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(auto arguments, Arguments::from_query(call.query));
  delivery::DeliveryQuery query;
  HOOKHOST_TRY(const auto subscriber, arguments.text("subscriber"));
  HOOKHOST_TRY(const auto event, arguments.text("event"));
  HOOKHOST_TRY(const auto state, arguments.text("state"));
  HOOKHOST_TRY(const auto key, arguments.text("key"));
  HOOKHOST_CHECK(arguments.finish());
  if (subscriber) {
    query.subscriber = SubscriberId{*subscriber};
    HOOKHOST_CHECK(host.engine().status(*query.subscriber));  // a misspelt one is told so
  }
  query.state = state.value_or("");
  constexpr std::array<std::string_view, 5> kStates{"", "pending", "running", "blocked", "behind"};
  if (std::find(kStates.begin(), kStates.end(), query.state) == kStates.end()) return fail(ErrorCode::usage, "'state' is pending, running, blocked or behind");
  query.key = key.value_or("");
  HOOKHOST_TRY(const auto all, deliveries_of(host, std::move(query), event));
  json::array out;
  for (const auto& one : all) out.push_back(view(one));
  return json::value(std::move(out));
}

Result<json::value> retry_now(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
  HOOKHOST_TRY(const auto subscriber, arguments.required("subscriber"));
  HOOKHOST_TRY(const auto event, arguments.required("event"));
  HOOKHOST_CHECK(arguments.finish());
  const SubscriberId id{subscriber};
  if (const auto offset = parse_u64(event)) {
    HOOKHOST_CHECK(host.engine().retry_now(id, Offset{*offset}));
    return done();
  }
  HOOKHOST_CHECK(host.engine().status(id));
  HOOKHOST_TRY(const auto waiting, deliveries_of(host, {.subscriber = id, .state = "blocked"}, event));
  if (waiting.empty()) return fail(ErrorCode::not_found, "no delivery of event " + event + " waits: hookhost deliveries list shows those that do");
  HOOKHOST_CHECK(host.engine().retry_now(id, waiting.front().offset));
  return done();
}

constexpr std::array kSubscriberRoutes{
    Route{"GET", "/api/subscribers", list},
    Route{"GET", "/api/subscribers/*", show},
    Route{"DELETE", "/api/subscribers/*", forget},
    Route{"POST", "/api/subscribers/*/pause", pause},
    Route{"POST", "/api/subscribers/*/resume", change<&delivery::Engine::resume>},
    Route{"POST", "/api/subscribers/*/acknowledge-gaps", change<&delivery::Engine::acknowledge_gaps>},
};
constexpr std::array kDeliveryRoutes{
    Route{"GET", "/api/deliveries", list_deliveries, Takes::query},
    Route{"POST", "/api/deliveries/retry-now", retry_now, Takes::body},
};

}  // namespace

std::span<const Route> subscriber_routes() { return kSubscriberRoutes; }
std::span<const Route> delivery_routes() { return kDeliveryRoutes; }

}  // namespace hookhost::api
