// /v1 behind a real listener, and a client that speaks JSON to it.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <vector>

#include "api/v1_server.h"
#include "http/server.h"
#include "support/fake_endpoint_control.h"
#include "support/raw_client.h"

namespace hookhost::test {

struct V1Answer {
  int status = 0;
  RawAnswer raw;
  boost::json::value body;
  [[nodiscard]] std::string error() const { return std::string(body.at("error").as_string()); }
};

// Sends one call over a connection of its own; `key` empty: no Authorization.
inline V1Answer call_v1(std::uint16_t port, const std::string& method, const std::string& path, const std::string& body, const std::string& key,
                        const std::vector<std::string>& headers = {}) {
  RawClient client(port);
  std::string request = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  if (!key.empty()) request += "Authorization: Bearer " + key + "\r\n";
  for (const std::string& header : headers) request += header + "\r\n";
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  (void)client.send(request);
  V1Answer out;
  out.raw = client.read_answer(method != "HEAD");
  out.status = out.raw.status;
  boost::system::error_code error;
  out.body = boost::json::parse(out.raw.body, error);
  return out;
}

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
