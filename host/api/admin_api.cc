#include "api/admin_api.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "api/arguments.h"
#include "api/json_views.h"
#include "api/routes.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

struct Call {
  std::string_view method, path;  // "*" stands for any one part
};
constexpr std::array kCalls{
    Call{"GET", "/api/status"},
    Call{"GET", "/api/plugins"},
    Call{"POST", "/api/reload"},
    Call{"GET", "/api/subscribers"},
    Call{"GET", "/api/subscribers/*"},
    Call{"DELETE", "/api/subscribers/*"},
    Call{"POST", "/api/subscribers/*/pause"},
    Call{"POST", "/api/subscribers/*/resume"},
    Call{"POST", "/api/subscribers/*/acknowledge-gaps"},
    Call{"GET", "/api/deliveries"},
    Call{"POST", "/api/deliveries/retry-now"},
    Call{"GET", "/api/dead-letters"},
    Call{"GET", "/api/dead-letters/*/*/*"},
    Call{"POST", "/api/dead-letters/retry"},
    Call{"POST", "/api/dead-letters/discard"},
    Call{"GET", "/api/replays"},
    Call{"POST", "/api/replays"},
    Call{"POST", "/api/replays/plan"},
    Call{"GET", "/api/replays/*"},
    Call{"POST", "/api/replays/*/cancel"},
    Call{"POST", "/api/replays/*/resume"},
};

// "/api/subscribers/crm/pause" -> {"api", "subscribers", "crm", "pause"}.
std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (slash != 0) out.emplace_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return out;
}

bool is_like(const std::vector<std::string>& path, const std::vector<std::string>& pattern) {
  return std::equal(path.begin(), path.end(), pattern.begin(), pattern.end(), [](const auto& part, const auto& wanted) { return wanted == "*" || part == wanted; });
}

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

Result<json::value> status(HostControl& host) {
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

Result<json::value> route(HostControl& host, const AdminCall& call, const std::vector<std::string>& path) {
  const std::string what = path.size() > 1 ? path[1] : "";
  if (what == "status" && path.size() == 2 && call.method == "GET") return status(host);
  if (what == "plugins" && path.size() == 2 && call.method == "GET") {
    json::array out;
    for (const auto& one : host.plugins()) out.push_back(view(one));
    return json::value(std::move(out));
  }
  if (what == "reload" && path.size() == 2 && call.method == "POST") {
    HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
    HOOKHOST_TRY(const bool dry_run, arguments.flag("dry_run"));
    HOOKHOST_CHECK(arguments.finish());
    HOOKHOST_TRY(const auto report, host.reload(dry_run));
    return json::value(view(report));
  }
  if (what == "subscribers") return subscriber_routes(host, call, path);
  if (what == "deliveries") return delivery_routes(host, call, path);
  if (what == "dead-letters") return dead_letter_routes(host, call, path);
  if (what == "replays") return replay_routes(host, call, path);
  return no_such_route();
}

}  // namespace

Error no_such_route_error() { return {ErrorCode::not_found, "there is no such call; host/api/admin_api.h lists them"}; }

std::vector<std::string_view> AdminApi::methods_of(std::string_view path) {
  const auto parts = split(path);
  std::vector<std::string_view> out;
  for (const Call& call : kCalls) {
    if (is_like(parts, split(call.path))) out.push_back(call.method);
  }
  return out;
}

Result<std::string> AdminApi::handle(const AdminCall& call) {
  const auto path = split(call.path);
  if (path.empty() || path[0] != "api") return fail(no_such_route_error());
  HOOKHOST_TRY(const json::value answer, route(host_, call, path));
  return json::serialize(answer);
}

}  // namespace hookhost::api
