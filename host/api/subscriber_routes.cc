#include <array>

#include "api/endpoint_control.h"
#include "api/json_views.h"
#include "api/routes.h"

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

// Whether an endpoint goes on is its owner's word too.
Result<json::value> resume(HostControl& host, const AdminCall&, const Path& path) {
  const SubscriberId id{path[2]};
  HOOKHOST_TRY(const auto status, host.engine().status(id));
  HOOKHOST_CHECK(status.kind == "endpoint" ? host.endpoints().resume(id.value) : host.engine().resume(id));
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

constexpr std::array kRoutes{
    Route{"GET", "/api/subscribers", list},
    Route{"GET", "/api/subscribers/*", show},
    Route{"DELETE", "/api/subscribers/*", forget},
    Route{"POST", "/api/subscribers/*/pause", pause},
    Route{"POST", "/api/subscribers/*/resume", resume},
    Route{"POST", "/api/subscribers/*/acknowledge-gaps", change<&delivery::Engine::acknowledge_gaps>},
};

}  // namespace

std::span<const Route> subscriber_routes() { return kRoutes; }

}  // namespace hookhost::api
