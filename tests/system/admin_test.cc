// The admin listener of a real host: who may speak to it, what it refuses, and what a monitor reads.
#include <map>

#include "base/bytes.h"
#include "system/answers.h"

namespace hookhost::test {
namespace {

using namespace std::chrono_literals;

class Admin : public AnswersTest {
 protected:
  [[nodiscard]] RawAnswer ask(const std::string& method, const std::string& path, const std::string& headers = "", const std::string& body = "") const {
    return ask_from("127.0.0.1:" + std::to_string(host.admin_port()), method, path, headers, body);
  }
  [[nodiscard]] RawAnswer ask_from(const std::string& host_header, const std::string& method, const std::string& path, const std::string& headers = "",
                                   const std::string& body = "") const {
    return AnswersTest::ask(host.admin_port(), method + " " + path + " HTTP/1.1\r\nHost: " + host_header + "\r\nContent-Length: " +
                                                   std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
  }
};

TEST_F(Admin, OnlyTheThreeProbesAnswerWithoutTheToken) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
    EXPECT_EQ(ask("GET", path).status, 200) << path;
    const RawAnswer wrong_method = ask("POST", path);
    expect_error(wrong_method, 405, "method_not_allowed");
    EXPECT_EQ(wrong_method.header("Allow"), "GET");
  }
  for (const auto& [method, path] : std::multimap<std::string, std::string>{{"GET", "/"},
                                                                            {"GET", "/api/status"},
                                                                            {"GET", "/api/plugins"},
                                                                            {"GET", "/api/subscribers/probe"},
                                                                            {"GET", "/api/deliveries"},
                                                                            {"GET", "/api/dead-letters"},
                                                                            {"GET", "/api/replays"},
                                                                            {"GET", "/metrics/"},
                                                                            {"GET", "//healthz"},
                                                                            {"POST", "/api/reload"},
                                                                            {"POST", "/api/subscribers/probe/pause"},
                                                                            {"POST", "/api/replays"},
                                                                            {"POST", "/api/dead-letters/retry"},
                                                                            {"DELETE", "/api/subscribers/probe"}}) {
    SCOPED_TRACE(method + " " + path);
    const RawAnswer nameless = ask(method, path);
    expect_error(nameless, 401, "missing_api_key");
    EXPECT_EQ(nameless.header("WWW-Authenticate"), "Bearer");
    expect_error(ask(method, path, "Authorization: Bearer " + token().substr(1) + "\r\n"), 401, "invalid_api_key");
    expect_error(ask(method, path, "Authorization: Basic " + token() + "\r\n"), 401, "invalid_api_key");
  }
  EXPECT_EQ(host.subscriber("probe").at("state").as_string(), "live");
  EXPECT_EQ(ask("POST", "/api/subscribers/probe/pause", host.authorization()).status, 200);
  EXPECT_EQ(host.subscriber("probe").at("state").as_string(), "paused");
}

// A web page that a browser of this machine shows must not steer the host, whatever name it made the browser resolve to 127.0.0.1.
TEST_F(Admin, NamesOfOthersAndRequestsOfOtherOriginsAreRefused) {
  ASSERT_TRUE(host.start());
  const std::string port = ":" + std::to_string(host.admin_port());
  for (const std::string name : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[evil.example]", "[]", "1.2.3.4.5", "::1", ""}) {
    expect_error(ask_from(name + port, "GET", "/healthz"), 403, "forbidden");
    expect_error(ask_from(name + port, "POST", "/api/reload", host.authorization()), 403, "forbidden");
  }
  for (const std::string name : {"127.0.0.1", "localhost", "LOCALHOST", "[::1]"}) EXPECT_EQ(ask_from(name + port, "GET", "/api/status", host.authorization()).status, 200) << name;
  for (const std::string origin : {"http://evil.example", "null", "http://127.0.0.1:1", "http://localhost"}) {
    expect_error(ask("GET", "/metrics", "Origin: " + origin + "\r\n"), 403, "forbidden");
    expect_error(ask("POST", "/api/reload", host.authorization() + "Origin: " + origin + "\r\n"), 403, "forbidden");
  }
  EXPECT_EQ(ask("GET", "/api/status", host.authorization() + "Origin: http://127.0.0.1" + port + "\r\n").status, 200);
}

TEST_F(Admin, RefusalsHaveTheirCodeAndTheirLineInTheDiagnostics) {
  ASSERT_TRUE(host.start());
  const std::string with_token = host.authorization();
  expect_error(ask("GET", "/api/nothing", with_token), 404, "not_found");
  expect_error(ask("GET", "/api/subscribers/nobody", with_token), 404, "not_found");
  expect_error(ask("POST", "/api/subscribers/nobody/pause", with_token), 404, "not_found");
  const RawAnswer wrong_method = ask("PUT", "/api/subscribers/nobody", with_token);
  expect_error(wrong_method, 405, "method_not_allowed");
  EXPECT_EQ(wrong_method.header("Allow"), "GET, DELETE");
  expect_error(ask("POST", "/api/replays", with_token, "{"), 400, "invalid_request");
  expect_error(ask("POST", "/api/replays", with_token, R"({"subscriber": "nobody", "form": "beginning"})"), 400, "invalid_request");
  expect_error(ask("GET", "/api/deliveries?event=x", with_token), 400, "invalid_request");
  for (const char* path : {"//api/status", "/api//status", "/api/status/", "/api/subscribers/", "/api%2Fstatus", "/api/%zz"}) {
    SCOPED_TRACE(path);
    expect_error(ask("GET", path, with_token), 404, "not_found");
  }
  for (const char* path : {"/api/status?verbose=1", "/api/plugins?x", "/api/subscribers?name=a", "/api/deliveries?event=1&evnt=2", "/api/endpoints?all=true", "/api/replays?limit=1"}) {
    SCOPED_TRACE(path);
    expect_error(ask("GET", path, with_token), 400, "invalid_request");
  }
  expect_error(ask("POST", "/api/reload?dry_run=true", with_token), 400, "invalid_request");
  expect_error(ask("POST", "/api/reload", with_token, R"({"dry_run": true, "dry_run": false})"), 400, "invalid_request");
  for (const auto& [member, value] : std::map<std::string, std::string>{{"from", "true"}, {"until", R"("soon")"}, {"type", R"("a*b")"}, {"live", "1"}, {"rate", R"("x")"}, {"reset", "1"}}) {
    std::string body = R"({"subscriber": "nobody", "from": "beginning", ")" + member + "\": " + value + "}";
    if (member == "from") body = R"({"subscriber": "nobody", "from": true})";
    const RawAnswer wrong = ask("POST", "/api/replays", with_token, body);
    expect_error(wrong, 400, "invalid_request");
    EXPECT_NE(wrong.body.find("'" + member + "'"), std::string::npos) << wrong.body;
  }
  expect_error(ask("POST", "/api/subscribers/nobody/pause", with_token, R"({"reason": "x"})"), 400, "invalid_request");
  expect_error(ask("POST", "/api/reload", with_token, std::string(2'000'000, ' ')), 413, "body_too_large");
  expect_error(ask("GET", "/api/status", with_token + "X: " + std::string(20'000, 'x') + "\r\n"), 431, "header_too_large");
  host.more += "no_such_key: 1\n";
  host.write_config();
  expect_error(ask("POST", "/api/reload", with_token), 422, "invalid_config");
}

TEST_F(Admin, ACallThatDoesNotExistIsToldWhereThoseThatDoAreListed) {
  ASSERT_TRUE(host.start());
  EXPECT_THAT(ask("GET", "/api/nothing", host.authorization()).body, testing::HasSubstr("there is no such call; GET /api lists those there are"));
  expect_error(ask("GET", "/api"), 401, "missing_api_key");
  const RawAnswer listed = ask("GET", "/api", host.authorization());
  ASSERT_EQ(listed.status, 200) << listed.body;
  const json::array calls = json::parse(listed.body).as_array();
  EXPECT_GT(calls.size(), 30U);
  for (const json::value& call : calls) {
    const std::string path(call.at("path").as_string());
    if (call.at("method").as_string() != "GET" || path.find('*') != std::string::npos) continue;
    EXPECT_NE(ask("GET", path, host.authorization()).status, 404) << path;
  }
}

TEST_F(Admin, WhatIsNoUtf8IsInNoAnswer) {
  ASSERT_TRUE(host.start());
  for (const char* path : {"/api/endpoints/%ff", "/api/subscribers/%ff", "/api/deliveries?subscriber=%ff", "/api/attempts?subscriber=a&%ff=1", "/api/subscribers?%ff=1"}) {
    const auto answer = ask("GET", path, host.authorization());
    EXPECT_TRUE(answer.status == 400 || answer.status == 404) << path << ": " << answer.status;
    EXPECT_TRUE(is_valid_utf8(answer.body)) << path;
  }
}

TEST_F(Admin, AnInternalErrorIsToldToTheOperatorOnly) {
  add_probe("probe");
  ASSERT_TRUE(host.start({}, {"HOOKHOST_FAILPOINTS=state.commit=error@10+"}));
  RawAnswer answer{200, {}, {}};
  for (int i = 0; i < 20 && answer.status == 200; ++i) answer = ask("POST", std::string("/api/subscribers/probe/") + (i % 2 == 0 ? "pause" : "resume"), host.authorization());
  expect_error(answer, 500, "internal_error");
  EXPECT_THAT(answer.body, testing::Not(testing::HasSubstr("failpoint")));
  const auto lines = lines_with(std::string(json::parse(answer.body).at("request_id").as_string()));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(std::string(lines[0].at("message").as_string()), testing::HasSubstr("failpoint state.commit"));
}

// The text format of Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/.
class Exposition {
 public:
  explicit Exposition(const std::string& text) {
    static const std::regex help("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) .+"), type("# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)"),
        sample(R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? (\S+))re");
    EXPECT_TRUE(text.ends_with('\n'));
    std::string family;
    for (const auto& line : lines_of(text)) {
      std::smatch found;
      if (std::regex_match(line, found, help)) continue;
      if (std::regex_match(line, found, type)) {
        family = found[1];
        EXPECT_TRUE(types.emplace(family, found[2]).second) << family << " stands there twice";
        continue;
      }
      if (!std::regex_match(line, found, sample)) {
        ADD_FAILURE() << "not of the text format: " << line;
        continue;
      }
      EXPECT_TRUE(found[1].str().starts_with(family)) << line << " stands under " << family;
      EXPECT_TRUE(samples.emplace(found[1].str() + found[2].str(), std::stod(found[5])).second) << line << " stands there twice";
    }
  }
  [[nodiscard]] double at(const std::string& sample) const {
    const auto found = samples.find(sample);
    if (found != samples.end()) return found->second;
    ADD_FAILURE() << "there is no " << sample;
    return -1;
  }
  // Buckets never fall, and the last one holds all.
  void expect_histogram(const std::string& name) const {
    EXPECT_EQ(types.at(name), "histogram");
    std::map<double, double> buckets;
    const std::string prefix = name + "_bucket{le=\"";
    for (const auto& [sample, value] : samples) {
      if (sample.starts_with(prefix)) buckets[std::stod(sample.substr(prefix.size()))] = value;
    }
    ASSERT_GT(buckets.size(), 2U);
    double last = 0;
    for (const auto& [bound, value] : buckets) {
      EXPECT_GE(value, last) << name << " at " << bound;
      last = value;
    }
    EXPECT_EQ(at(name + "_bucket{le=\"+Inf\"}"), at(name + "_count"));
    EXPECT_GT(at(name + "_count"), 0);
    EXPECT_GT(at(name + "_sum"), 0);
  }

  std::map<std::string, std::string> types;
  std::map<std::string, double> samples;
};

TEST_F(Admin, MetricsArePrometheusTextAndCountWhatHappened) {
  add_probe("probe", "retry: [1ms], ");
  host.sources["pinned"] = R"({scheme: kakiyo, secrets: ["system-test-secret"], team: team_other})";
  ASSERT_TRUE(host.start());
  KakiyoSender sender(host.public_port());
  for (int n = 0; n < 3; ++n) ASSERT_NE(sender.send(message("chat_1", n)), "");
  ASSERT_NE(sender.send(message("chat_1", 2)), "");
  EXPECT_EQ(AnswersTest::ask(signed_post(message("chat_1", 9), "/in/pinned")).status, 403);
  EXPECT_EQ(AnswersTest::ask(post("{}", "", "/in/kakiyo")).status, 401);
  EXPECT_EQ(AnswersTest::ask("garbage\r\n\r\n").status, 400);
  ASSERT_TRUE(host.catches_up("probe"));
  set_mode("probe", "retry");
  ASSERT_NE(sender.send(message("chat_2", 10)), "");
  ASSERT_TRUE(poll_until([&] { return host.subscriber("probe").at("dead_letters").to_number<int>() == 1; }));

  RawAnswer answer;
  EXPECT_TRUE(poll_until([&] {  // the host's own event of the dead letter comes a little later
    answer = ask("GET", "/metrics");
    return answer.body.find("hookhost_subscriber_lag_seconds{subscriber=\"probe\"} 0\n") != std::string::npos;
  })) << answer.body;
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  expect_nothing_of_the_inside(answer.body);
  const Exposition page(answer.body);
  EXPECT_EQ(page.types.at("hookhost_events_received_total"), "counter");
  EXPECT_EQ(page.at(R"(hookhost_events_received_total{source="kakiyo",status="accepted"})"), 4);
  EXPECT_EQ(page.at(R"(hookhost_events_received_total{source="kakiyo",status="duplicate"})"), 1);
  EXPECT_EQ(page.at(R"(hookhost_events_refused_total{source="kakiyo",reason="missing_signature"})"), 1);
  EXPECT_EQ(page.at(R"(hookhost_events_refused_total{source="pinned",reason="team_mismatch"})"), 1);
  EXPECT_EQ(page.at(R"(hookhost_http_refused_total{listener="public",reason="malformed"})"), 1);
  page.expect_histogram("hookhost_commit_seconds");
  page.expect_histogram("hookhost_commit_batch_events");
  EXPECT_GE(page.at("hookhost_commit_batch_events_sum"), 4) << "the host's own beside those received";
  EXPECT_EQ(page.at(R"(hookhost_outcomes_total{subscriber="probe",outcome="ok"})"), 3);
  EXPECT_EQ(page.at(R"(hookhost_outcomes_total{subscriber="probe",outcome="exhausted"})"), 1);
  EXPECT_EQ(page.at(R"(hookhost_subscriber_lag_events{subscriber="probe"})"), 0);
  EXPECT_EQ(page.at(R"(hookhost_subscriber_lag_seconds{subscriber="probe"})"), 0);
  EXPECT_EQ(page.at(R"(hookhost_subscriber_dead_letters{subscriber="probe"})"), 1);
  EXPECT_GT(page.at("hookhost_disk_free_bytes"), 1e6);
  EXPECT_GT(page.at("hookhost_event_log_record_bytes"), 0);
  EXPECT_GE(page.at("hookhost_event_log_end"), 4);
}

}  // namespace
}  // namespace hookhost::test
