// A client that speaks JSON to /v1, wherever it is served.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

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

}  // namespace hookhost::test
