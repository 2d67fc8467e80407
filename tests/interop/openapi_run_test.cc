// Calls made from our own OpenAPI file by schemathesis against a real host: no answer is a 5xx, none is undocumented, what the file forbids is
// refused, and what it deletes is gone.
#include "interop/python_packages.h"
#include "support/http_receiver.h"

namespace hookhost::test {
namespace {

constexpr const char* kKey = "interop-0123456789-0123456789-0123456789";

class Schemathesis {
 public:
  // `more`: further arguments.
  static Ran run(std::uint16_t port, const std::vector<std::string>& operations_left_out, const std::vector<std::string>& more = {}) {
    const char* given = std::getenv("HOOKHOST_SEED");
    const std::string seed = given != nullptr ? given : "1";  // what it calls a failure is its opinion: another seed is tried by hand
    std::cout << "HOOKHOST_SEED=" << seed << "\n";
    const TempDir directory;
    const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/v1";
    Spawn what{{PythonPackages::program("schemathesis"), "--config-file", interop_source("schemathesis.toml"), "run", url + "/openapi.json", "--url", url, "--header",
                std::string("Authorization: Bearer ") + kKey, "--seed", seed, "--max-examples", quick() ? "5" : "25", "--request-timeout", "20", "--continue-on-failure", "--generation-database", "none", "--no-color"},
               {},
               directory.path(),
               directory / "out",
               directory / "err"};
    for (const std::string& operation : operations_left_out) what.arguments.insert(what.arguments.end(), {"--exclude-operation-id", operation});
    what.arguments.insert(what.arguments.end(), more.begin(), more.end());
    return run_to_end(what, std::chrono::seconds{240});
  }
};

class OpenApiRun : public testing::Test {
 protected:
  void SetUp() override {
    const Provided python = PythonPackages::provide();
    if (python.kind == Provided::Kind::absent) GTEST_SKIP() << python.why;
    ASSERT_EQ(python.kind, Provided::Kind::there) << python.why;
  }
  void start(const std::string& rates) {
    host_.sources = {{"kakiyo", R"({scheme: kakiyo, secrets: ["system-test-secret"], team: from_payload})"}};
    host_.more = "api: {rate_limits: " + rates + "}\nteams:\n  team_a: {api_keys: [\"" + kKey + "\"]}\nendpoint_defaults: {allow_http: true, allowed_networks: [\"127.0.0.1/32\"]}\n";
    ASSERT_TRUE(host_.start());
  }
  HostProcess host_;
};

// Nothing is published here: the webhooks that it makes up have addresses of others, which must not be called.
TEST_F(OpenApiRun, WebhooksAreManagedAsTheFileSays) {
  ASSERT_NO_FATAL_FAILURE(start("off"));
  const Ran ran = Schemathesis::run(host_.public_port(), {"publishEvents", "testWebhook"});
  EXPECT_EQ(ran.status, 0) << ran;
  EXPECT_NE(ran.out.find("Tested: 12"), std::string::npos) << ran;  // operations
  EXPECT_EQ(host_.terminate(), 0);
}

// Rates that are soon used up: 429, with the Retry-After that the file asks for, stands beside every other answer.
TEST_F(OpenApiRun, WithTheRatesOnItIsToldToWaitAsTheFileSays) {
  ASSERT_NO_FATAL_FAILURE(start("{high: 10, medium: 10, low: 40}"));
  const TempDir directory;
  const std::string log = directory / "calls.har";
  const Ran ran = Schemathesis::run(host_.public_port(), {"publishEvents", "testWebhook"}, {"--report", "har", "--report-har-path", log});
  EXPECT_EQ(ran.status, 0) << ran;
  std::map<std::int64_t, int> answers;
  const json::value kept = json::parse(contents(log));
  for (const auto& call : kept.at("log").at("entries").as_array()) ++answers[call.at("response").at("status").to_number<std::int64_t>()];
  for (const int status : {200, 400, 429}) EXPECT_GT(answers[status], 0) << status;
  EXPECT_EQ(host_.terminate(), 0);
}

// The only webhook is a receiver of this test.
TEST_F(OpenApiRun, EventsArePublishedAndTestedAsTheFileSays) {
  ASSERT_NO_FATAL_FAILURE(start("off"));
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  const std::string body = R"({"name":"here","events":["*"],"url":"http://127.0.0.1:)" + std::to_string(receiver.port()) + R"(/hook"})";
  RawClient client = host_.connect();
  client.send("POST /v1/webhooks HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + std::string(kKey) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const RawAnswer made = client.read_answer();
  ASSERT_EQ(made.status, 201) << made.body;
  const Ran ran = Schemathesis::run(host_.public_port(), {"createWebhook", "updateWebhook", "deleteWebhook"});
  EXPECT_EQ(ran.status, 0) << ran;
  EXPECT_NE(ran.out.find("Tested: 11"), std::string::npos) << ran;  // operations
  EXPECT_EQ(host_.terminate(), 0);
}

}  // namespace
}  // namespace hookhost::test
