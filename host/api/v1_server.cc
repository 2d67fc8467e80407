#include "api/v1_server.h"

#include <algorithm>
#include <array>

#include "api/arguments.h"
#include "api/methods.h"
#include "api/v1_key.h"
#include "api/v1_routes.h"

namespace hookhost::api {
namespace {

constexpr std::size_t kLookThreads = 2, kChangeThreads = 4;
constexpr std::size_t kQueueMax = 1024;  // of each kind
constexpr std::uint64_t kCallBytesMax = 64 << 10;
constexpr std::uint64_t kPublishBytesMax = 1 << 20;

constexpr std::array kOwnRoutes{
    V1Route{.method = "POST", .path = "/v1/events", .rate = V1Rate::publish, .kind = V1Route::Kind::publish},
    V1Route{.method = "GET", .path = "/v1/openapi.json", .kind = V1Route::Kind::document},
};

// Those that name the path in so many words hide those with "*": "events" is no webhook's id.
std::vector<const V1Route*> routes_at(const Path& path) {
  std::vector<const V1Route*> named, any;
  for (const auto routes : {std::span<const V1Route>(kOwnRoutes), v1_webhook_routes(), v1_delivery_routes(), v1_test_routes()}) {
    for (const V1Route& route : routes) {
      if (!is_like(path, split_path(route.path))) continue;
      (route.path.find('*') == std::string_view::npos ? named : any).push_back(&route);
    }
  }
  return named.empty() ? any : named;
}

// Clients may end it with a slash.
Path path_of(const http::RequestHead& head) {
  std::string_view path = head.path();
  if (path.ends_with('/')) path.remove_suffix(1);
  return decoded_path(path).value_or(Path{});
}

http::HeadVerdict refuse(http::Response response) { return http::HeadVerdict::refuse(std::move(response)); }

}  // namespace

// What on_head() found, for the same request's body.
struct V1Server::Judged {
  std::shared_ptr<const Settings> settings;
  const V1Route* route;
  std::string team;
  Path path;
};

bool is_v1_path(std::string_view path) { return path.starts_with("/v1/"); }

V1Server::V1Server(EndpointControl& control, V1Options options, const Clock& clock)
    : control_(control), clock_(clock), limiter_(clock), looks_(kLookThreads, kQueueMax), changes_(kChangeThreads, kQueueMax) {
  configure(std::move(options));
}

void V1Server::configure(V1Options options) {
  auto made = std::make_shared<const Settings>(Settings{options.rate_limits, V1Types(options.types), options.waiting_of_a_team_max});
  const std::scoped_lock lock(mutex_);
  settings_ = std::move(made);
}

http::HeadVerdict V1Server::on_head(const http::RequestHead& head) {
  Judged judged{{}, nullptr, {}, path_of(head)};
  const auto routes = routes_at(judged.path);
  if (routes.empty()) return refuse(v1_error({ErrorCode::not_found, "There is no such call; GET /v1/openapi.json describes those there are"}, head.request_id));
  std::vector<std::string_view> methods;
  for (const V1Route* route : routes) {
    methods.push_back(route->method);
    if (route->method == method_of(head)) judged.route = route;
  }
  if (judged.route == nullptr) return refuse(method_not_allowed(methods, head.request_id));
  if (judged.route->kind == V1Route::Kind::document) return http::HeadVerdict::accept(kCallBytesMax, std::make_shared<Judged>(std::move(judged)));

  const V1Key key = read_v1_key(head);
  if (!key.refusal.empty()) return refuse(v1_unauthorized(key.refusal, key.message, head.request_id));
  auto team = control_.team_of_key(key.key);
  if (!team) {
    if (team.error().code != ErrorCode::invalid_api_key) return refuse(v1_error(team.error(), head.request_id));
    return refuse(v1_unauthorized("invalid_api_key", "The API key is not valid: it is unknown or was revoked", head.request_id));
  }
  judged.team = std::move(team.value());
  {
    const std::scoped_lock lock(mutex_);
    judged.settings = settings_;
  }
  if (const auto over = limiter_.take(judged.team, judged.route->rate, judged.settings->rate_limits)) return refuse(v1_rate_limited(*over, head.request_id));
  const bool publishes = judged.route->kind == V1Route::Kind::publish;
  return http::HeadVerdict::accept(publishes ? kPublishBytesMax : kCallBytesMax, std::make_shared<Judged>(std::move(judged)));
}

void V1Server::on_request(http::Request&& request, std::shared_ptr<const void> context, http::Responder responder) {
  const auto judged = std::static_pointer_cast<const Judged>(std::move(context));
  switch (judged->route->kind) {
    case V1Route::Kind::document: return responder.send(http::json_response(200, std::string(v1_openapi_json())));
    case V1Route::Kind::publish: return publish(std::move(request), *judged, std::move(responder));
    case V1Route::Kind::call: break;
  }
  Workers& workers = judged->route->method == "GET" ? looks_ : changes_;
  if (workers.waiting(judged->team) >= judged->settings->waiting_of_a_team_max) return responder.send(v1_team_waits(clock_.wall(), request.head.request_id));
  workers.post(judged->team, std::move(request), std::move(responder), [this, judged](const http::Request& waited) {
    auto reply = judged->route->answer({control_, judged->settings->types, judged->team, judged->path, waited.head.query(), waited.body});
    return reply ? v1_response(std::move(reply.value()), waited.head.request_id) : v1_error(reply.error(), waited.head.request_id);
  });
}

void V1Server::publish(http::Request&& request, const Judged& judged, http::Responder responder) {
  const RequestId id = request.head.request_id;
  const auto keys = http::all_headers(request.head, "Idempotency-Key");
  const bool is_clear = keys.empty() || (keys.size() == 1 && !keys.front().empty());
  if (!is_clear) return responder.send(v1_error({ErrorCode::usage, "Idempotency-Key: must be there once, with a value"}, id));
  auto shared = std::make_shared<http::Responder>(std::move(responder));
  const V1Call call{control_, judged.settings->types, judged.team, judged.path, request.head.query(), request.body};
  publish_events(call, keys.empty() ? std::string_view{} : keys.front(),
                 [shared, id](Result<V1Reply> reply) { shared->send(reply ? v1_response(std::move(reply.value()), id) : v1_error(reply.error(), id)); });
}

}  // namespace hookhost::api
