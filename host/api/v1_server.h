// /v1 on the public listener: Kakiyo's management API for webhooks, POST /v1/events, and the OpenAPI file that describes them
// (openapi.yaml). A key and a rate are judged at the head, before a body is read. CORS is not offered: keys do not belong into browsers.
//
// One team cannot hold up another: of each team one reading call and one changing call are carried out at a time, a bounded number waits, and
// the two kinds have threads of their own, so that what only looks never waits for a change, which may block on a disk or on reading events.
//
//   GET    /v1/verify                        GET  /v1/webhooks/events
//   GET    /v1/webhooks                      POST /v1/webhooks/test                      {"event", "data"}
//   POST   /v1/webhooks                      GET  /v1/webhooks/test/events
//   PUT    /v1/webhooks/ID                   GET  /v1/webhooks/test/example/EVENT
//   DELETE /v1/webhooks/ID
// Ours:
//   GET    /v1/webhooks/ID                   POST /v1/webhooks/ID/replays                {"since", "until"}
//   GET    /v1/webhooks/ID/deliveries        POST /v1/webhooks/ID/deliveries/EVENT/retry
//   POST   /v1/events                        GET  /v1/openapi.json
#pragma once

#include <memory>
#include <mutex>

#include "api/endpoint_control.h"
#include "api/v1_rate_limits.h"
#include "api/v1_types.h"
#include "api/workers.h"
#include "http/handler.h"

namespace hookhost::api {

struct V1Options {
  V1RateLimits rate_limits = V1RateLimits::kakiyo();
  std::vector<std::string> types;  // accepted beside Kakiyo's six
  std::size_t waiting_of_a_team_max = 32;  // calls of either kind; those beyond are answered 429
};

// Whether a path, without its query, is for the V1Server.
[[nodiscard]] bool is_v1_path(std::string_view path);

class V1Server final : public http::Handler {
 public:
  V1Server(EndpointControl& control, V1Options options, const Clock& clock = system_clock());

  // Requests whose head was read keep the options of before. Threads: from every thread.
  void configure(V1Options options);

  [[nodiscard]] http::HeadVerdict on_head(const http::RequestHead& head) override;
  void on_request(http::Request&& request, std::shared_ptr<const void> context, http::Responder responder) override;

 private:
  struct Settings {
    V1RateLimits rate_limits;
    V1Types types;
    std::size_t waiting_of_a_team_max;
  };
  struct Judged;
  void publish(http::Request&& request, const Judged& judged, http::Responder responder);

  EndpointControl& control_;
  const Clock& clock_;
  V1RateLimiter limiter_;
  std::mutex mutex_;
  std::shared_ptr<const Settings> settings_;
  Workers looks_, changes_;  // last: they end before what their calls use
};

}  // namespace hookhost::api
