// /v1 behind a real listener, over a fake of what it controls.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/v1_server.h"
#include "http/server.h"
#include "support/fake_endpoint_control.h"
#include "support/v1_call.h"

namespace hookhost::test {

struct V1Host {
  static constexpr const char* kKeyA = "team_a_0123456789012345678901234567890";
  static constexpr const char* kKeyB = "team_b_0123456789012345678901234567890";

  explicit V1Host(api::V1Options options = {.rate_limits = api::V1RateLimits::off(), .types = {}}) : v1(control, std::move(options), clock) {
    control.teams_by_key = {{kKeyA, "team_a"}, {kKeyB, "team_b"}};
    http::ServerOptions listener;
    listener.address = "127.0.0.1:0";
    server = std::move(http::Server::start(std::move(listener), v1).value());
  }

  V1Answer call(const std::string& method, const std::string& path, const std::string& body = {}, const std::string& key = kKeyA,
                const std::vector<std::string>& headers = {}) const {
    return call_v1(server->port(), method, path, body, key, headers);
  }
  // A webhook of the key's team; its id.
  std::string made(const std::string& events = R"(["*"])", const std::string& key = kKeyA) const {
    const auto answer = call("POST", "/v1/webhooks", R"({"name":"CRM","url":"https://crm.example/hook","events":)" + events + "}", key);
    return std::string(answer.body.at("id").as_string());
  }

  ManualClock clock;
  FakeEndpointControl control;
  api::V1Server v1;
  std::unique_ptr<http::Server> server;  // last: ends first
};

}  // namespace hookhost::test
