// The calls of /v1 by subject. Private to the room.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "api/endpoint_control.h"
#include "api/path.h"
#include "api/v1_answer.h"

namespace hookhost::api {

struct V1Call {
  EndpointControl& control;
  const V1Types& types;
  const std::string& team;
  const Path& path;
  std::string_view query;
  std::string_view body;
  [[nodiscard]] const std::string& webhook_id() const { return path.at(2); }  // of /v1/webhooks/ID...
};

struct V1Route {
  enum class Kind : std::uint8_t {
    call,     // `answer`, on a thread that may block
    publish,  // publish_events()
    document  // the OpenAPI file, without a key
  };
  std::string_view method;
  std::string_view path;  // "*" stands for any one part; a path without one goes first
  V1Rate rate = V1Rate::none;
  Result<V1Reply> (*answer)(const V1Call& call) = nullptr;
  Kind kind = Kind::call;
};

[[nodiscard]] std::span<const V1Route> v1_webhook_routes();
[[nodiscard]] std::span<const V1Route> v1_delivery_routes();
[[nodiscard]] std::span<const V1Route> v1_test_routes();

// One event or a batch. `done` is called when all are durable, or with why not, on any thread, maybe at once. Does not block.
void publish_events(const V1Call& call, std::string_view idempotency_key, std::function<void(Result<V1Reply>)> done);

// The OpenAPI file as JSON.
[[nodiscard]] std::string_view v1_openapi_json();

}  // namespace hookhost::api
