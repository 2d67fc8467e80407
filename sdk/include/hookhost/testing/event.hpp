// Events for tests of plugins.
#ifndef HOOKHOST_TESTING_EVENT_HPP
#define HOOKHOST_TESTING_EVENT_HPP

#include <hookhost/cpp/values.hpp>

#include <string>
#include <utility>
#include <vector>

namespace hookhost::testing {

struct TestEvent {
  std::string type = "linkedin.message.received";
  std::string body = "{}";
  std::string source = "kakiyo", provider = "kakiyo";
  std::string team = {}, key = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::uint32_t flags = HOOKHOST_EVENT_VERIFIED;
  std::uint32_t attempt = 1;
  std::string id = {};            // empty: made from the offset
  std::uint64_t offset = kNext;   // kNext: one above the last
  std::int64_t received_at = -1;  // below 0: the fake host's now

  static constexpr std::uint64_t kNext = ~std::uint64_t{0};
};

// One of Kakiyo's six types, shaped as its documented message. `message` is written as given: no quotes or backslashes.
inline TestEvent kakiyo_event(const std::string& type, const std::string& chat = "chat_54321", const std::string& message = "Thanks for reaching out!") {
  std::string data = R"({"agentId":"agent_67890","campaignId":"campaign_12345","chatId":")" + chat + R"(","prospectId":"prospect_98765")";
  if (type.starts_with("linkedin.message.")) data += R"(,"message":")" + message + '"';
  data += R"(,"timestamp":"2023-06-15T10:30:00Z"})";
  TestEvent event;
  event.type = type;
  event.team = "team_12345abcde";
  event.key = chat;
  event.body = R"({"event":")" + type + R"(","teamId":"team_12345abcde","timestamp":"2023-06-15T10:30:00Z","data":)" + data + "}";
  return event;
}

}  // namespace hookhost::testing

#endif
