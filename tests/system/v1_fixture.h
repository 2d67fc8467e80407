// Endpoints that are registered, by commands and through /v1, in a real host.
#pragma once

#include "system/endpoint_fixture.h"

namespace hookhost::test {

inline bool verifies(signing::Scheme scheme, const Receiver& receiver, std::size_t n, const std::vector<std::string>& names, const std::string& secret) {
  std::vector<std::string> values;
  for (const auto& name : names) values.push_back(receiver.header(n, name));
  std::vector<signing::HeaderView> headers;
  for (std::size_t i = 0; i < names.size(); ++i) headers.push_back({names[i], values[i]});
  const signing::Secret known{secret, {}};
  return signing::verify({.scheme = scheme}, {&known, 1}, headers, receiver.bodies().at(n), system_clock().wall()).ok;
}
inline const std::vector<std::string> kStandardHeaders{"webhook-id", "webhook-timestamp", "webhook-signature"};

class V1Test : public EndpointTest {
 protected:
  // By a command; its id.
  std::string add(const Receiver& receiver, const std::vector<std::string>& more = {}) {
    std::vector<std::string> line{"endpoint", "add", receiver.url(), "--json"};
    line.insert(line.end(), more.begin(), more.end());
    const Ran ran = host.run(line);
    EXPECT_EQ(ran.status, 0) << ran;
    return ran.status == 0 ? text(ran.objects().at(0), "id") : "";
  }
  std::string key_of(const std::string& team) {
    const Ran ran = host.run({"team", "key", "add", team, "--json"});
    EXPECT_EQ(ran.status, 0) << ran;
    return ran.status == 0 ? text(ran.objects().at(0), "key") : "";
  }
  // `key` empty: no Authorization; `more`: further header lines.
  RawAnswer v1(const std::string& key, const std::string& method, const std::string& path, const std::string& body = "", const std::string& more = "") const {
    RawClient client = host.connect();
    client.send(method + " /v1" + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
                (key.empty() ? "" : "Authorization: Bearer " + key + "\r\n") + more + "\r\n" + body);
    return client.read_answer();
  }
  // Through /v1; its id.
  std::string made(const std::string& key, const Receiver& receiver, const std::string& more = "") const {
    const RawAnswer answer = v1(key, "POST", "/webhooks", R"({"name":"a","events":["*"],"url":")" + receiver.url() + "\"" + more + "}");
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.status == 201 ? text(object_of(answer), "id") : "";
  }
  static json::object object_of(const RawAnswer& answer) { return json::parse(answer.body).as_object(); }
};

}  // namespace hookhost::test
