// What is on its way to subscribers, and what was tried.
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

constexpr std::size_t kAttemptsShown = 100;

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

// An event by its offset or its id; neither: every one.
struct EventName {
  std::optional<Offset> offset;
  std::optional<EventId> id;
};

Result<EventName> event_in(Arguments& arguments) {
  HOOKHOST_TRY(const auto text, arguments.text("event"));
  if (!text) return EventName{};
  if (const auto offset = parse_u64(*text)) return EventName{.offset = Offset{*offset}, .id = {}};
  if (is_event_id(*text)) return EventName{.offset = {}, .id = EventId{*text}};
  return fail(ErrorCode::usage, "'event' must be an offset or an event's id (evt_...)");
}

// A misspelt one is told so.
Result<std::optional<SubscriberId>> subscriber_in(HostControl& host, Arguments& arguments) {
  HOOKHOST_TRY(const auto name, arguments.text("subscriber"));
  if (!name) return std::optional<SubscriberId>{};
  HOOKHOST_CHECK(host.engine().status(SubscriberId{*name}));
  return std::optional(SubscriberId{*name});
}

struct Asked {
  delivery::DeliveryQuery query;
  EventName event;
};

Result<Asked> asked_in(HostControl& host, const AdminCall& call) {
  HOOKHOST_TRY(auto arguments, Arguments::from_query(call.query));
  Asked out;
  HOOKHOST_TRY(out.query.subscriber, subscriber_in(host, arguments));
  HOOKHOST_TRY(out.event, event_in(arguments));
  HOOKHOST_TRY(const auto state, arguments.text("state"));
  HOOKHOST_TRY(const auto key, arguments.text("key"));
  HOOKHOST_CHECK(arguments.finish());
  out.query.offset = out.event.offset;
  out.query.state = state.value_or("");
  out.query.key = key.value_or("");
  constexpr std::array<std::string_view, 5> kStates{"", "pending", "running", "blocked", "behind"};
  if (std::find(kStates.begin(), kStates.end(), out.query.state) == kStates.end()) return fail(ErrorCode::usage, "'state' is pending, running, blocked or behind");
  return out;
}

Result<std::vector<delivery::DeliveryStatus>> deliveries_of(HostControl& host, const Asked& asked) {
  auto all = host.engine().deliveries(asked.query);
  HOOKHOST_CHECK(name_events(host, all));
  if (asked.event.id) std::erase_if(all, [&](const auto& one) { return one.id != *asked.event.id; });
  return all;
}

Result<json::value> list(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(const auto asked, asked_in(host, call));
  HOOKHOST_TRY(const auto all, deliveries_of(host, asked));
  json::array out;
  for (const auto& one : all) out.push_back(view(one));
  return json::value(std::move(out));
}

json::array views(const std::vector<state::AttemptRow>& rows) {
  json::array out;
  for (const auto& row : rows) out.push_back(view(row));
  return out;
}

// Of a delivery that is over: what its newest attempt and its dead letter say. nullopt: no attempt of it was kept.
Result<std::optional<json::object>> one_that_is_over(HostControl& host, const SubscriberId& subscriber, const EventName& event) {
  HOOKHOST_TRY(const auto attempts, host.store().attempts(subscriber, {.offset = event.offset, .id = event.id}));
  if (attempts.empty()) return std::optional<json::object>{};
  const state::AttemptRow& last = attempts.front();
  HOOKHOST_TRY(const auto parked, host.store().parked_one(subscriber, last.stream, last.offset));
  delivery::DeliveryStatus status{.subscriber = subscriber, .stream = last.stream, .offset = last.offset, .id = last.id, .type = last.type, .key = {}, .state = "done"};
  if (last.stream == state::kTestStream) status.state = "test";
  if (parked) status.state = parked->kind == state::ParkedRow::Kind::held ? "held" : "dead";
  status.attempts = last.attempt;
  status.last_outcome = last.outcome;
  status.last_error = last.error;
  json::object out = view(status);
  out["history"] = views(attempts);
  return std::optional(std::move(out));
}

// With its attempts: what is on its way of one event, and, of one subscriber, what is over.
Result<json::value> history(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(const auto asked, asked_in(host, call));
  if (!asked.event.offset && !asked.event.id) return fail(ErrorCode::usage, "'event' must be given");
  HOOKHOST_TRY(const auto all, deliveries_of(host, asked));
  json::array out;
  for (const auto& one : all) {
    HOOKHOST_TRY(const auto attempts, host.store().attempts(one.subscriber, {.offset = one.offset}));
    json::object shown = view(one);
    shown["history"] = views(attempts);
    out.push_back(std::move(shown));
  }
  if (out.empty() && asked.query.subscriber && asked.query.state.empty() && asked.query.key.empty()) {
    HOOKHOST_TRY(auto over, one_that_is_over(host, *asked.query.subscriber, asked.event));
    if (over) out.push_back(std::move(*over));
  }
  if (const Offset end = host.feed().durable_end(); out.empty() && asked.event.offset && *asked.event.offset >= end) {
    return fail(ErrorCode::not_found, "there is no event " + std::to_string(asked.event.offset->value) + ": the event log ends at " + std::to_string(end.value) +
                                          "; hookhost events list shows those there are");
  }
  return json::value(std::move(out));
}

// The newest first.
Result<json::value> attempts(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(auto arguments, Arguments::from_query(call.query));
  HOOKHOST_TRY(const auto subscriber, subscriber_in(host, arguments));
  HOOKHOST_TRY(const auto event, event_in(arguments));
  HOOKHOST_TRY(const auto limit, arguments.number("limit"));
  HOOKHOST_CHECK(arguments.finish());
  if (!subscriber) return fail(ErrorCode::usage, "'subscriber' must be given: attempts are kept by subscriber");
  HOOKHOST_TRY(const auto rows, host.store().attempts(*subscriber, {.offset = event.offset, .id = event.id, .limit = limit.value_or(kAttemptsShown)}));
  return json::value(views(rows));
}

Result<json::value> retry_now(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
  HOOKHOST_TRY(const auto subscriber, arguments.required("subscriber"));
  HOOKHOST_CHECK(arguments.required("event"));
  HOOKHOST_TRY(const auto event, event_in(arguments));
  HOOKHOST_CHECK(arguments.finish());
  const SubscriberId id{subscriber};
  if (event.offset) {
    HOOKHOST_CHECK(host.engine().retry_now(id, *event.offset));
    return done();
  }
  HOOKHOST_CHECK(host.engine().status(id));
  HOOKHOST_TRY(const auto waiting, deliveries_of(host, {.query = {.subscriber = id, .state = "blocked"}, .event = event}));
  if (waiting.empty()) return fail(ErrorCode::not_found, "no delivery of event " + event.id->value + " waits: hookhost deliveries list shows those that do");
  HOOKHOST_CHECK(host.engine().retry_now(id, waiting.front().offset));
  return done();
}

constexpr std::array kRoutes{
    Route{"GET", "/api/deliveries", list, Takes::query},
    Route{"GET", "/api/deliveries/history", history, Takes::query},
    Route{"POST", "/api/deliveries/retry-now", retry_now, Takes::body},
    Route{"GET", "/api/attempts", attempts, Takes::query},
};

}  // namespace

std::span<const Route> delivery_routes() { return kRoutes; }

}  // namespace hookhost::api
