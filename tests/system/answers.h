// A host whose diagnostics can be read as JSON, and what every error answer must be.
#pragma once

#include <gmock/gmock.h>

#include <regex>

#include "system/journal.h"

namespace hookhost::test {

class AnswersTest : public SystemTest {
 protected:
  AnswersTest() { host.more = "diagnostics: {level: debug, format: json}\n"; }

  static RawAnswer ask(std::uint16_t port, const std::string& bytes) {
    RawClient client(port);
    client.send(bytes);
    return client.read_answer();
  }
  [[nodiscard]] RawAnswer ask(const std::string& bytes) const { return ask(host.public_port(), bytes); }

  // The diagnostics lines under that id.
  [[nodiscard]] std::vector<json::object> lines_with(const std::string& request_id) const {
    std::vector<json::object> out;
    for (const auto& line : lines_of(host.diagnostics())) {
      boost::system::error_code torn;
      const json::value parsed = json::parse(line, torn);
      if (torn) continue;  // still being written
      const json::value* id = parsed.as_object().if_contains("request_id");
      if (id != nullptr && id->as_string() == request_id) out.push_back(parsed.as_object());
    }
    return out;
  }

  // The promised form and code, nothing of the inside, and a line of the diagnostics under the same id.
  void expect_error(const RawAnswer& answer, int status, const std::string& code) const {
    SCOPED_TRACE(std::to_string(status) + " " + code);
    ASSERT_EQ(answer.status, status) << answer.head << answer.body;
    EXPECT_EQ(answer.header("Content-Type"), "application/json");
    const json::object body = json::parse(answer.body).as_object();
    EXPECT_EQ(body.size(), 3U) << answer.body;
    EXPECT_EQ(body.at("error").as_string(), code);
    EXPECT_FALSE(body.at("message").as_string().empty());
    const std::string id(body.at("request_id").as_string());
    EXPECT_TRUE(std::regex_match(id, std::regex("req_[0-9A-Z]{16}"))) << id;
    EXPECT_TRUE(poll_until([&] { return !lines_with(id).empty(); })) << "no line of the diagnostics has " << id;
    EXPECT_EQ(!answer.header("Retry-After").empty(), status == 503) << answer.head;
    expect_nothing_of_the_inside(answer.head + answer.body);
  }
  void expect_nothing_of_the_inside(const std::string& text) const {
    for (const std::string& secret : secrets()) EXPECT_THAT(text, testing::Not(testing::HasSubstr(secret)));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr(host.path(""))));
  }
  [[nodiscard]] std::vector<std::string> secrets() const { return {kSecret, "github-test-secret", "stripe-test-secret", token()}; }
  [[nodiscard]] std::string token() const { return lines_of(contents(host.data_dir() + "/admin.token")).at(0); }
};

}  // namespace hookhost::test
