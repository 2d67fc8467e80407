// Receivers that people already have stand behind pass_through endpoints, unchanged: GitHub's own example payloads arrive with the bytes and the
// headers that GitHub sent, and pass the checks of a Flask receiver and of @octokit/webhooks.
#include <map>

#include "base/bytes.h"
#include "interop/node_libraries.h"
#include "interop/python_packages.h"
#include "signing/digest.h"

namespace hookhost::test {
namespace {

constexpr const char* kSecret = "It's a Secret to Everybody";

std::string text(const json::value& value) { return std::string(value.as_string()); }

class Relayed : public InteropTest {
 protected:
  void relay_to(const std::string& name, const std::string& url) {
    endpoints_ += "  " + name + ": {url: \"" + url + "\", events: [\"github:*\"], signing: pass_through, retry: [], allow_http: true, allowed_networks: [\"127.0.0.1/32\"]}\n";
    host.more = "endpoints:\n" + endpoints_;
    host.sources = {{"github", "{scheme: github, secrets: [\"" + std::string(kSecret) + "\"]}"}};
  }
  // As GitHub sends them.
  void send_every_example() {
    requests_ = NodeLibraries::sign({json::object{{"scheme", "github-examples"}, {"secret", kSecret}}});
    ASSERT_GT(requests_.size(), 700U) << "the six sets of the package";
    RawClient client = host.connect();
    for (auto& request : requests_) {
      request.at("headers").as_array().push_back({"User-Agent", "GitHub-Hookshot/044aadd"});
      request.at("headers").as_array().push_back({"X-GitHub-Hook-ID", "292430182"});
      std::string headers;
      for (const auto& header : request.at("headers").as_array()) headers += text(header.at(0)) + ": " + text(header.at(1)) + "\r\n";
      client.send(post(text(request.at("body")), headers, "/in/github"));
      ASSERT_EQ(client.read_answer().status, 200) << request.at("name");
    }
  }
  // Nothing was refused: each at its first attempt, and what the receiver took down of each by its id.
  std::map<std::string, json::object> accepted(const std::string& name, const std::string& file) {
    EXPECT_TRUE(host.catches_up(name));
    const json::object status = host.subscriber(name);
    EXPECT_EQ(status.at("dead_letters").to_number<std::uint64_t>(), 0U) << json::serialize(status);
    EXPECT_NE(status.at("state").as_string(), "stopped") << json::serialize(status);
    std::map<std::string, json::object> out;
    for (const auto& line : lines_of(contents(file))) {
      json::object one = json::parse(line).as_object();
      const std::string id = text(one.at("id"));
      EXPECT_TRUE(out.emplace(id, std::move(one)).second) << id << " came twice";
    }
    EXPECT_EQ(out.size(), requests_.size());
    return out;
  }
  // Python's servers spell names in their own way.
  static std::string header(const json::object& request, const std::string& name) {
    for (const auto& pair : request.at("headers").as_array()) {
      if (equals_ignoring_case(text(pair.at(0)), name)) return text(pair.at(1));
    }
    return "(absent)";
  }

  std::vector<json::object> requests_;
  std::string endpoints_;
};

TEST_F(Relayed, GithubsPayloadsPassTheCheckOfAnUnchangedNodeReceiver) {
  const std::string file = host.path("octokit.jsonl");
  const NodeReceiver receiver({"github_receiver.mjs", file}, kSecret);
  relay_to("octokit", receiver.url("/github"));
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send_every_example());
  const auto got = accepted("octokit", file);
  for (const auto& request : requests_) {
    const auto found = got.find(header(request, "X-GitHub-Delivery"));
    ASSERT_NE(found, got.end()) << request.at("name");
    EXPECT_EQ(found->second.at("name"), request.at("name"));
    EXPECT_EQ(found->second.at("payload"), json::parse(text(request.at("body"))));
  }
}

TEST_F(Relayed, GithubsPayloadsPassTheCheckOfAnUnchangedFlaskReceiver) {
  const Provided python = PythonPackages::provide();
  if (python.kind == Provided::Kind::absent) GTEST_SKIP() << python.why;
  ASSERT_EQ(python.kind, Provided::Kind::there) << python.why;
  const std::string file = host.path("flask.jsonl"), port = std::to_string(free_port());
  ChildProcess receiver({{PythonPackages::program("python"), interop_source("github_receiver.py"), port, file},
                         {"RECEIVER_SECRET=" + std::string(kSecret), "PYTHONDONTWRITEBYTECODE=1"}, "", host.path("flask.out"), host.path("flask.err")});
  ASSERT_TRUE(poll_until([&] { return RawClient(static_cast<std::uint16_t>(std::stoi(port))).is_connected() || receiver.ended(); }));
  ASSERT_FALSE(receiver.ended()) << contents(host.path("flask.err"));
  relay_to("flask", "http://127.0.0.1:" + port + "/github");
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send_every_example());
  const auto got = accepted("flask", file);
  for (const auto& request : requests_) {
    const auto found = got.find(header(request, "X-GitHub-Delivery"));
    ASSERT_NE(found, got.end()) << request.at("name");
    EXPECT_EQ(text(found->second.at("sha256")), to_hex(signing::sha256(text(request.at("body"))))) << "byte for byte";
    for (const auto& sent : request.at("headers").as_array()) EXPECT_EQ(header(found->second, text(sent.at(0))), text(sent.at(1))) << request.at("name");
  }
}

}  // namespace
}  // namespace hookhost::test
