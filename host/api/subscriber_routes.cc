#include "api/arguments.h"
#include "api/json_views.h"
#include "api/routes.h"
#include "base/bytes.h"

namespace hookhost::api {

namespace json = boost::json;

Result<json::value> subscriber_routes(HostControl& host, const AdminCall& call, const Path& path) {
  delivery::Engine& engine = host.engine();
  if (path.size() == 2 && call.method == "GET") {
    json::array out;
    for (const auto& one : engine.status()) out.push_back(view(one));
    return json::value(std::move(out));
  }
  if (path.size() < 3) return no_such_route();
  const SubscriberId id{path[2]};
  if (path.size() == 3 && call.method == "GET") {
    HOOKHOST_TRY(const auto status, engine.status(id));
    return json::value(view(status));
  }
  if (path.size() == 3 && call.method == "DELETE") {
    HOOKHOST_CHECK(engine.forget(id));
    return done();
  }
  if (path.size() != 4 || call.method != "POST") return no_such_route();
  if (path[3] == "pause") {
    HOOKHOST_CHECK(engine.pause(id));
  } else if (path[3] == "resume") {
    HOOKHOST_CHECK(engine.resume(id));
  } else if (path[3] == "acknowledge-gaps") {
    HOOKHOST_CHECK(engine.acknowledge_gaps(id));
  } else {
    return no_such_route();
  }
  return done();
}

namespace {

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

}  // namespace

Result<json::value> delivery_routes(HostControl& host, const AdminCall& call, const Path& path) {
  if (path.size() == 2 && call.method == "GET") {
    HOOKHOST_TRY(auto arguments, Arguments::from_query(call.query));
    delivery::DeliveryQuery query;
    HOOKHOST_TRY(const auto subscriber, arguments.text("subscriber"));
    HOOKHOST_TRY(const auto event, arguments.number("event"));
    HOOKHOST_TRY(const auto state, arguments.text("state"));
    HOOKHOST_TRY(const auto key, arguments.text("key"));
    HOOKHOST_CHECK(arguments.finish());
    if (subscriber) query.subscriber = SubscriberId{*subscriber};
    if (event) query.offset = Offset{*event};
    query.state = state.value_or("");
    query.key = key.value_or("");
    auto all = host.engine().deliveries(query);
    HOOKHOST_CHECK(name_events(host, all));
    json::array out;
    for (const auto& one : all) out.push_back(view(one));
    return json::value(std::move(out));
  }
  if (path.size() == 3 && path[2] == "retry-now" && call.method == "POST") {
    HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
    HOOKHOST_TRY(const auto subscriber, arguments.required("subscriber"));
    HOOKHOST_TRY(const auto offset, arguments.number("offset"));
    HOOKHOST_CHECK(arguments.finish());
    if (!offset) return fail(ErrorCode::usage, "'offset' is missing");
    HOOKHOST_CHECK(host.engine().retry_now(SubscriberId{subscriber}, Offset{*offset}));
    return done();
  }
  return no_such_route();
}

}  // namespace hookhost::api
