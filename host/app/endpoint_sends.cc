// What is sent to endpoints beside their ordinary deliveries, what was sent, and what teams publish.
#include <algorithm>

#include "api/start_at.h"
#include "app/endpoint_info.h"
#include "app/endpoint_sample.h"
#include "app/endpoint_set.h"

namespace hookhost::app {
namespace {

// What the engine advises is the operator's to do.
template <class T>
Result<T> told(Result<T> done) {
  if (done || done.error().code != ErrorCode::unavailable) return done;
  return fail(ErrorCode::unavailable, "it was changed just now and is about to go on; try again");
}

}  // namespace

// --- What was sent, and again -------------------------------------------------------------------------------------------------------

Result<std::vector<state::AttemptRow>> EndpointSet::attempts(const std::optional<std::string>& team, std::string_view id, const state::AttemptQuery& query) {
  HOOKHOST_CHECK(endpoint(team, id));
  return rooms_.store.attempts(SubscriberId{std::string(id)}, query);
}

// The newest attempt says where its delivery stands; attempts outlive deliveries.
Result<> EndpointSet::retry(const std::string& team, std::string_view id, std::string_view event_id) {
  HOOKHOST_TRY(const auto info, endpoint(team, id));
  HOOKHOST_TRY(const auto rows, attempts(team, id, {.id = EventId{std::string(event_id)}, .limit = 1}));
  if (rows.empty()) return fail(ErrorCode::not_found, "nothing of this event was sent to it");
  const state::AttemptRow& last = rows.front();
  if (last.stream == state::kTestStream) return fail(ErrorCode::conflict, "it was a test; POST /v1/webhooks/test sends another");
  const SubscriberId subscriber{std::string(id)};
  if (const auto why = standstill(info); !why.empty()) return fail(ErrorCode::conflict, why);
  HOOKHOST_TRY(const auto given_up, rooms_.store.parked_one(subscriber, last.stream, last.offset));
  const auto again = given_up ? rooms_.engine.retry_dead_letter(subscriber, last.stream, last.offset) : rooms_.engine.retry_now(subscriber, last.offset);
  if (again) return again;
  switch (again.error().code) {
    case ErrorCode::not_found: return fail(ErrorCode::conflict, "nothing of this delivery waits: it was delivered, or is under way; a replay sends it again");
    case ErrorCode::refused: return fail(ErrorCode::conflict, "nothing is delivered to it at the moment; try again later");
    default: return told(again);
  }
}

// Order: planned first, so that one that has not begun is never moved past events that it still has to get.
Result<std::uint64_t> EndpointSet::replay(const std::string& team, std::string_view id, const api::ReplayWishes& wishes) {
  HOOKHOST_TRY(const auto info, endpoint(team, id));
  const auto since = api::place_of_team(wishes.since), until = api::place_of_team(wishes.until.value_or("now"));
  if (!since) return fail(ErrorCode::usage, "since: " + since.error().message);
  if (!until) return fail(ErrorCode::usage, "until: " + until.error().message);
  if (const auto why = standstill(info); !why.empty()) return fail(ErrorCode::conflict, why);
  if (info.status.replay) return fail(ErrorCode::conflict, "a replay into it runs already");
  const delivery::ReplayRequest request{.subscriber = SubscriberId{std::string(id)}, .from = since.value(), .until = until.value()};
  HOOKHOST_TRY(const auto plan, rooms_.engine.replay_plan(request));
  if (plan.moves || !plan.refusal.empty()) return fail(ErrorCode::conflict, "it has not come to these events yet, and gets them by itself");
  HOOKHOST_CHECK(told(rooms_.engine.replay_start(request, plan)));
  return plan.matching;
}

// --- Forwards, tests, publishing ----------------------------------------------------------------------------------------------------

Result<api::EndpointInfo> EndpointSet::forward(std::string_view source, std::string_view url, std::string_view from) {
  if (!runner_.sends()) return fail(ErrorCode::unreachable, "no host runs; start one, then ask again");
  if (const auto all = said(); !all->rules.sources.contains(std::string(source))) {
    return fail(ErrorCode::not_found, config::no_such_source(std::string(source), all->rules.sources));
  }
  HOOKHOST_TRY(const auto place, api::place_of(from.empty() ? std::string_view("now") : from));
  HOOKHOST_TRY(const std::string id, forwards_.begin(std::string(source), std::string(url), place));
  return endpoint(std::nullopt, id);
}

Result<api::EndpointInfo> EndpointSet::keep_forward(std::string_view id) {
  HOOKHOST_CHECK(forwards_.keep(std::string(id)));
  return endpoint(std::nullopt, id);
}

Result<std::vector<api::TestTarget>> EndpointSet::test(const std::string& team, std::string_view type, std::string_view data) {
  const auto all = said();
  HOOKHOST_TRY(const auto event, make_test_event(type, team, data, rooms_.ids.next(rooms_.clock.wall()), rooms_.clock.wall()));
  std::vector<api::TestTarget> out;
  for (const Row& row : rows(team)) {
    HOOKHOST_TRY(const auto built, build(*row, all->rules));
    const auto& events = built.endpoint.events;
    const auto gets = [&](const Pattern& pattern) { return pattern.matches(event->source, event->provider, event->type); };
    if (std::none_of(events.begin(), events.end(), gets)) continue;
    if (const auto info = endpoint(team, row->id); !info || !standstill(info.value()).empty()) continue;
    runner_.send_test(built.endpoint, event);
    out.push_back({row->id, row->name, row->url});
  }
  if (out.empty()) return fail(ErrorCode::not_found, "No webhooks found for this event");
  return out;
}

void EndpointSet::publish(const std::string& team, std::string type, std::string body, api::Idempotency idempotency,
                          std::function<void(Result<api::Published>)> done) {
  ingest::Publication publication{team, std::move(type), std::move(body), std::move(idempotency.key), std::move(idempotency.request), {}};
  rooms_.ingest.publish(std::move(publication), [done = std::move(done)](const Result<ingest::Accepted>& accepted) {
    done(accepted ? Result<api::Published>(api::Published{accepted.value().id, accepted.value().duplicate}) : Result<api::Published>(fail(accepted.error())));
  });
}

}  // namespace hookhost::app
