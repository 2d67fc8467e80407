// Requests with a few wrong bytes, to both listeners of a real host: nothing breaks, nothing hangs, and the host goes on.
#include <iostream>
#include <random>

#include "system/command_line.h"

namespace hookhost::test {
namespace {

class HostileHttp : public CommandTest {
 protected:
  HostileHttp() {
    host.more = "api: {rate_limits: off}\n";
    const char* given = std::getenv("HOOKHOST_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "HOOKHOST_SEED=" << seed << '\n';
    random_.seed(seed);
  }
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  std::string mutated(std::string bytes) {
    static const std::vector<std::string> kOdd{"\r\n", "\n", std::string(1, '\0'), " ", "\r\n\r\n", "0\r\n\r\n", ":", "\t", "%00", "Content-Length: 3\r\n",
                                               "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "\xff", "{", "\\ud800", "[[[["};
    for (std::size_t left = 1 + below(4); left > 0; --left) {
      const std::size_t at = below(bytes.size());
      switch (below(4)) {
        case 0: bytes[at] ^= static_cast<char>(1U << below(8)); break;
        case 1: bytes.erase(at, bytes.size() > 8 ? 1 + below(4) : 0); break;
        case 2: bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(40))); break;
        default: bytes.insert(at, kOdd[below(kOdd.size())]);
      }
    }
    return bytes;
  }
  static std::string request(const std::string& line, const std::string& headers, const std::string& body) {
    return line + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string chunked(const std::string& line, const std::string& body) {
    return line + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n1;x=y\r\n" + body.substr(0, 1) + "\r\n" +
           (std::ostringstream() << std::hex << body.size() - 1).str() + "\r\n" + body.substr(1) + "\r\n0\r\nX-T: 1\r\n\r\n";
  }

  std::mt19937_64 random_;
};

TEST_F(HostileHttp, AFewWrongBytesAreAnsweredWithoutA5xxAndClosed) {
  ASSERT_TRUE(host.start());
  const Ran made = host.run({"team", "key", "add", "team_1", "--json"});
  ASSERT_EQ(made.status, 0) << made;
  const std::string key = "Authorization: Bearer " + text(made.objects().at(0), "key") + "\r\nContent-Type: application/json\r\n";
  const std::string body = message("chat_1", 1);
  const std::vector<std::string> to_public{signed_post(body),
                                           chunked("POST /in/raw", body),
                                           request("GET /v1/verify", key, ""),
                                           request("POST /v1/events", key + "Idempotency-Key: one\r\n", body),
                                           request("POST /v1/events", key, "[" + body + "," + body + "]"),
                                           request("PUT /v1/webhooks/webhook_none?a=%20b", key, R"({"name":"a","events":["linkedin.message.received"]})")};
  const std::vector<std::string> to_admin{request("GET /api/status", host.authorization(), ""), request("GET /api/deliveries?limit=5&state=pending", host.authorization(), ""),
                                          request("POST /api/dead-letters/retry", host.authorization(), R"({"subscriber":"none"})"),
                                          request("POST /api/endpoints/none/pause", host.authorization(), "{}")};
  for (int round = 0; round < 1'500; ++round) {
    const bool is_public = below(3) != 0;
    const auto& known = is_public ? to_public : to_admin;
    std::string sent;
    for (std::size_t left = 1 + below(3); left > 0; --left) sent += below(4) == 0 ? known[below(known.size())] : mutated(known[below(known.size())]);
    RawClient client(is_public ? host.public_port() : host.admin_port());
    client.send(sent);
    client.end_output();
    for (RawAnswer answer = client.read_answer(); answer.status != 0; answer = client.read_answer()) {
      const bool is_theirs = answer.status < 500 || answer.status == 501 || answer.status == 505;
      ASSERT_TRUE(is_theirs) << answer.head << answer.body << "\n" << testing::PrintToString(sent);
    }
    ASSERT_TRUE(client.is_closed_by_server()) << "round " << round << ": " << testing::PrintToString(sent);
  }
  EXPECT_FALSE(send("chat_2").empty());
  EXPECT_EQ(host.terminate(), 0) << host.diagnostics();
}

}  // namespace
}  // namespace hookhost::test
