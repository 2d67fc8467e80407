#include <array>

#include "api/arguments.h"
#include "api/json_views.h"
#include "api/routes.h"
#include "api/start_at.h"
#include "base/bytes.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

// What is wrong with a member's value, with the member.
auto wrong(const char* member, const Error& error) { return fail(error.code, "'" + std::string(member) + "': " + error.message); }

Result<delivery::StartAt> place_in(const char* member, const std::string& text) {
  auto place = place_of(text);
  if (!place) return wrong(member, place.error());
  return place;
}

Result<delivery::ReplayRequest> request_of(const AdminCall& call) {
  HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
  delivery::ReplayRequest out;
  HOOKHOST_TRY(const auto subscriber, arguments.required("subscriber"));
  HOOKHOST_TRY(const auto from, arguments.required("from"));
  HOOKHOST_TRY(const auto until, arguments.text("until"));
  HOOKHOST_TRY(const auto types, arguments.texts("type"));
  HOOKHOST_TRY(out.key, arguments.text("key"));
  HOOKHOST_TRY(const auto id, arguments.text("id"));
  HOOKHOST_TRY(const auto live, arguments.text("live"));
  HOOKHOST_TRY(out.reset, arguments.flag("reset"));
  HOOKHOST_TRY(out.yes, arguments.flag("yes"));
  HOOKHOST_TRY(const auto rate, arguments.decimal("rate"));
  HOOKHOST_CHECK(arguments.finish());
  out.subscriber = SubscriberId{subscriber};
  HOOKHOST_TRY(out.from, place_in("from", from));
  if (until) {
    HOOKHOST_TRY(const auto end, place_in("until", *until));
    out.until = end;
  }
  for (const std::string& type : types) {
    auto pattern = parse_pattern(type, true);
    if (!pattern) return wrong("type", pattern.error());
    out.types.push_back(std::move(pattern.value()));
  }
  if (id) out.id = EventId{*id};
  if (live && *live != "wait" && *live != "continue") return fail(ErrorCode::usage, "'live' must be wait or continue");
  if (live) out.live = *live == "wait" ? delivery::LiveMode::wait : delivery::LiveMode::carry_on;
  out.rate = rate.value_or(0);
  return out;
}

Result<state::StreamId> id_in(const Path& path) {
  const auto id = parse_u64(path[2]);
  if (!id) return fail(ErrorCode::usage, "'" + path[2] + "' is no replay's id: hookhost replays list shows them");
  return *id;
}

Result<json::value> list(HostControl& host, const AdminCall&, const Path&) {
  HOOKHOST_TRY(const auto all, host.engine().replays());
  json::array out;
  for (const auto& one : all) out.push_back(view(one));
  return json::value(std::move(out));
}

Result<json::value> start(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(const auto request, request_of(call));
  HOOKHOST_TRY(const auto id, host.engine().replay_start(request));
  HOOKHOST_TRY(const auto progress, host.engine().replay(id));
  return json::value(view(progress));
}

Result<json::value> plan(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(const auto request, request_of(call));
  HOOKHOST_TRY(const auto plan, host.engine().replay_plan(request));
  return json::value(view(plan));
}

Result<json::value> show(HostControl& host, const AdminCall&, const Path& path) {
  HOOKHOST_TRY(const auto id, id_in(path));
  HOOKHOST_TRY(const auto progress, host.engine().replay(id));
  return json::value(view(progress));
}

template <Result<> (delivery::Engine::*kChange)(state::StreamId)>
Result<json::value> change(HostControl& host, const AdminCall&, const Path& path) {
  HOOKHOST_TRY(const auto id, id_in(path));
  HOOKHOST_CHECK((host.engine().*kChange)(id));
  return done();
}

constexpr std::array kRoutes{
    Route{"GET", "/api/replays", list},
    Route{"POST", "/api/replays", start, Takes::body},
    Route{"POST", "/api/replays/plan", plan, Takes::body},
    Route{"GET", "/api/replays/*", show},
    Route{"POST", "/api/replays/*/cancel", change<&delivery::Engine::replay_cancel>},
    Route{"POST", "/api/replays/*/resume", change<&delivery::Engine::replay_resume>},
};

}  // namespace

std::span<const Route> replay_routes() { return kRoutes; }

}  // namespace hookhost::api
