#include "api/admin_api.h"

#include <array>
#include <boost/json.hpp>

#include "api/arguments.h"
#include "api/json_views.h"
#include "api/routes.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

json::object event_log_view(HostControl& host) {
  const auto& log = host.event_log();
  const auto sizes = log.sizes();
  return {{"begin", log.begin().value},
          {"end", log.durable_end().value},
          {"segments", sizes.segments},
          {"record_bytes", sizes.record_bytes},
          {"disk_free_bytes", sizes.free_bytes},
          {"poisoned", log.is_poisoned()}};
}

Result<json::value> status(HostControl& host, const AdminCall&, const Path&) {
  json::object out;
  const auto ready = host.ready();
  out["ready"] = ready.has_value();
  out["not_ready_because"] = ready ? json::value(nullptr) : json::value(ready.error().message);
  out["event_log"] = event_log_view(host);
  json::array subscribers, sources, plugins;
  for (const auto& one : host.engine().status()) subscribers.push_back(view(one));
  for (const auto& one : host.sources()) sources.push_back(view(one));
  out["subscribers"] = std::move(subscribers);
  for (const auto& one : host.plugins()) plugins.push_back(view(one));
  out["sources"] = std::move(sources);
  out["plugins"] = std::move(plugins);
  return json::value(std::move(out));
}

Result<json::value> plugins(HostControl& host, const AdminCall&, const Path&) {
  json::array out;
  for (const auto& one : host.plugins()) out.push_back(view(one));
  return json::value(std::move(out));
}

Result<json::value> reload(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
  HOOKHOST_TRY(const bool dry_run, arguments.flag("dry_run"));
  HOOKHOST_CHECK(arguments.finish());
  HOOKHOST_TRY(const auto report, host.reload(dry_run));
  return json::value(view(report));
}

Result<json::value> calls(HostControl& host, const AdminCall&, const Path&);

constexpr std::array kHostRoutes{
    Route{"GET", "/api", calls},
    Route{"GET", "/api/status", status},
    Route{"GET", "/api/plugins", plugins},
    Route{"POST", "/api/reload", reload, Takes::body},
};

std::array<std::span<const Route>, 6> all_routes() {
  return {std::span<const Route>(kHostRoutes), subscriber_routes(), delivery_routes(), dead_letter_routes(), replay_routes(), endpoint_routes()};
}

Result<json::value> calls(HostControl&, const AdminCall&, const Path&) {
  json::array out;
  for (const auto routes : all_routes()) {
    for (const Route& route : routes) out.push_back(json::object{{"method", route.method}, {"path", route.path}});
  }
  return json::value(std::move(out));
}

std::vector<const Route*> routes_at(const Path& path) {
  std::vector<const Route*> out;
  for (const auto routes : all_routes()) {
    for (const Route& route : routes) {
      if (is_like(path, split_path(route.path))) out.push_back(&route);
    }
  }
  return out;
}

// What nobody reads is a mistake of the caller's.
Result<> nothing_more(const AdminCall& call, Takes takes) {
  if (takes != Takes::query) {
    HOOKHOST_TRY(const auto arguments, Arguments::from_query(call.query));
    HOOKHOST_CHECK(arguments.finish());
  }
  if (takes != Takes::body) {
    HOOKHOST_TRY(const auto arguments, Arguments::from_json(call.body));
    HOOKHOST_CHECK(arguments.finish());
  }
  return success();
}

}  // namespace

Error no_such_route_error() { return {ErrorCode::not_found, "there is no such call; GET /api lists those there are"}; }

std::vector<std::string_view> AdminApi::methods_of(std::string_view path) {
  std::vector<std::string_view> out;
  for (const Route* route : routes_at(decoded_path(path).value_or(Path{}))) out.push_back(route->method);
  return out;
}

Result<std::string> AdminApi::handle(const AdminCall& call) {
  const Path path = decoded_path(call.path).value_or(Path{});
  for (const Route* route : routes_at(path)) {
    if (route->method != call.method) continue;
    HOOKHOST_CHECK(nothing_more(call, route->takes));
    HOOKHOST_TRY(const json::value answer, route->answer(host_, call, path));
    return json::serialize(answer);
  }
  return fail(no_such_route_error());
}

}  // namespace hookhost::api
