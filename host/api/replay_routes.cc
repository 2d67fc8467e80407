#include "api/arguments.h"
#include "api/json_views.h"
#include "api/routes.h"
#include "base/bytes.h"
#include "config/when.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

Result<delivery::StartAt> start_at(const std::string& text) {
  HOOKHOST_TRY(const auto when, config::parse_when(text));
  using From = config::When::Kind;
  using To = delivery::StartAt::Kind;
  delivery::StartAt out;
  out.offset = when.offset;
  out.time = when.time;
  out.age = when.age;
  switch (when.kind) {
    case From::now: out.kind = To::now; break;
    case From::hold: out.kind = To::hold; break;
    case From::beginning: out.kind = To::beginning; break;
    case From::offset: out.kind = To::offset; break;
    case From::time: out.kind = To::time; break;
    case From::age: out.kind = To::age; break;
  }
  return out;
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
  HOOKHOST_TRY(out.from, start_at(from));
  if (until) {
    HOOKHOST_TRY(const auto end, start_at(*until));
    out.until = end;
  }
  for (const std::string& type : types) {
    HOOKHOST_TRY(auto pattern, parse_pattern(type, true));
    out.types.push_back(std::move(pattern));
  }
  if (id) out.id = EventId{*id};
  if (live && *live != "wait" && *live != "continue") return fail(ErrorCode::usage, "--live wants wait or continue");
  if (live) out.live = *live == "wait" ? delivery::LiveMode::wait : delivery::LiveMode::carry_on;
  out.rate = rate.value_or(0);
  return out;
}

}  // namespace

Result<json::value> replay_routes(HostControl& host, const AdminCall& call, const Path& path) {
  delivery::Engine& engine = host.engine();
  if (path.size() == 2 && call.method == "GET") {
    HOOKHOST_TRY(const auto all, engine.replays());
    json::array out;
    for (const auto& one : all) out.push_back(view(one));
    return json::value(std::move(out));
  }
  if (path.size() == 2 && call.method == "POST") {
    HOOKHOST_TRY(const auto request, request_of(call));
    HOOKHOST_TRY(const auto id, engine.replay_start(request));
    HOOKHOST_TRY(const auto progress, engine.replay(id));
    return json::value(view(progress));
  }
  if (path.size() == 3 && path[2] == "plan" && call.method == "POST") {
    HOOKHOST_TRY(const auto request, request_of(call));
    HOOKHOST_TRY(const auto plan, engine.replay_plan(request));
    return json::value(view(plan));
  }
  const auto id = path.size() > 2 ? parse_u64(path[2]) : std::nullopt;
  if (!id) return no_such_route();
  if (path.size() == 3 && call.method == "GET") {
    HOOKHOST_TRY(const auto progress, engine.replay(*id));
    return json::value(view(progress));
  }
  if (path.size() == 4 && call.method == "POST" && path[3] == "cancel") {
    HOOKHOST_CHECK(engine.replay_cancel(*id));
    return done();
  }
  if (path.size() == 4 && call.method == "POST" && path[3] == "resume") {
    HOOKHOST_CHECK(engine.replay_resume(*id));
    return done();
  }
  return no_such_route();
}

}  // namespace hookhost::api
