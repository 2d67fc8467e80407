// Kakiyo's webhooks over a kept connection, signed as Kakiyo signs them.
#pragma once

#include <boost/json.hpp>

#include "signing/sign.h"
#include "support/host_process.h"

namespace hookhost::test {

inline constexpr const char* kSecret = "system-test-secret";

// The body of event `n` of a chat; `extra` are further members of data.
inline std::string message(const std::string& chat, std::int64_t n, const json::object& extra = {}) {
  json::object data{{"agentId", "agent_1"}, {"campaignId", "campaign_1"}, {"chatId", chat},
                    {"prospectId", "prospect_" + chat}, {"message", "message " + std::to_string(n)}, {"n", n}};
  for (const auto& member : extra) data[member.key()] = member.value();
  return json::serialize(
      json::object{{"event", "linkedin.message.received"}, {"teamId", "team_1"}, {"timestamp", "2026-01-01T00:00:00Z"}, {"data", std::move(data)}});
}

// The header lines of a signature.
inline std::string signature_of(const std::string& body, signing::Scheme scheme = signing::Scheme::kakiyo, const std::string& secret = kSecret, WallTime now = {}) {
  std::string lines;
  const auto headers = signing::sign({.scheme = scheme}, secret, "", now, body);
  for (const auto& [name, value] : headers.value()) lines += name + ": " + value + "\r\n";
  return lines;
}

inline std::string signed_post(const std::string& body, const std::string& target = "/in/kakiyo") {
  return post(body, "Content-Type: application/json\r\n" + signature_of(body), target);
}

class KakiyoSender {
 public:
  explicit KakiyoSender(std::uint16_t port) : client_(port) {}

  // The event's id when it was answered 2xx, else an empty text.
  std::string send(const std::string& body) {
    last_ = {};
    if (!client_.send(signed_post(body))) return "";
    last_ = client_.read_answer();
    if (last_.status != 200) return "";
    return std::string(json::parse(last_.body).at("id").as_string());
  }
  [[nodiscard]] const RawAnswer& last() const { return last_; }  // status 0: the connection ended

 private:
  RawClient client_;
  RawAnswer last_;
};

}  // namespace hookhost::test
