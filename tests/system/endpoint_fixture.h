// A host with endpoints, and receivers of its POSTs.
#pragma once

#include <atomic>
#include <mutex>
#include <set>

#include "base/bytes.h"
#include "signing/verify.h"
#include "support/http_receiver.h"
#include "system/command_line.h"

namespace hookhost::test {

// The value of a header of a request's head; "(absent)".
inline std::string header_in(const std::string& head, const std::string& name) {
  for (const auto& line : lines_of(head)) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos || !equals_ignoring_case(line.substr(0, colon), name)) continue;
    std::string value = line.substr(colon + 2);
    while (value.ends_with('\r')) value.pop_back();
    return value;
  }
  return "(absent)";
}

// A receiver whose status the test may change while it runs.
class Receiver {
 public:
  explicit Receiver(std::uint16_t port = 0)
      : http_([this](const std::string&) { return HttpReceiver::status(status_.load(), extra()); }, port) {}

  void answer_with(int status, const std::string& headers = "") {
    const std::scoped_lock lock(mutex_);
    extra_ = headers;
    status_ = status;
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(http_.port()) + "/hook"; }
  [[nodiscard]] std::uint16_t port() const { return http_.port(); }
  [[nodiscard]] std::size_t count() const { return http_.bodies().size(); }
  [[nodiscard]] std::vector<std::string> bodies() const { return http_.bodies(); }
  // Of request `n`.
  [[nodiscard]] std::string header(std::size_t n, const std::string& name) const { return header_in(http_.heads().at(n), name); }
  // The messages (`n` of data) in the order of their first coming, without repetitions.
  [[nodiscard]] std::vector<std::int64_t> messages() const {
    std::vector<std::int64_t> out;
    std::set<std::int64_t> seen;
    for (const auto& body : bodies()) {
      const auto n = json::parse(body).at("data").at("n").to_number<std::int64_t>();
      if (seen.insert(n).second) out.push_back(n);
    }
    return out;
  }

 private:
  std::string extra() {
    const std::scoped_lock lock(mutex_);
    return extra_;
  }
  std::atomic<int> status_ = 200;
  std::mutex mutex_;
  std::string extra_;
  HttpReceiver http_;
};

class EndpointTest : public CommandTest {
 protected:
  static constexpr const char* kEndpointSecret = "endpoint-test-secret";

  // One of the YAML file; `more`: further keys, each with a comma before it.
  void add_endpoint(const std::string& name, const std::string& url, const std::string& more = ", events: [\"*\"]") {
    endpoints_[name] = "{url: \"" + url + "\", allow_http: true, allowed_networks: [\"127.0.0.0/8\"]" + more + "}";
    write_endpoints();
  }
  void remove_endpoint(const std::string& name) {
    endpoints_.erase(name);
    write_endpoints();
  }
  // For those that are registered.
  void allow_loopback() {
    defaults_ = "endpoint_defaults: {allow_http: true, allowed_networks: [\"127.0.0.0/8\"]}\n";
    write_endpoints();
  }
  // Further lines of the configuration.
  void say(const std::string& lines) {
    lines_ += lines;
    write_endpoints();
  }
  // Messages `from` until before `until` of one chat.
  void send_messages(std::int64_t from, std::int64_t until, const std::string& chat = "chat_1") {
    KakiyoSender sender(host.public_port());
    for (auto n = from; n < until; ++n) ASSERT_NE(sender.send(message(chat, n)), "") << n;
  }
  // The host runs, and its endpoint crm has had messages 0 and 1. `more`: as of add_endpoint().
  void start_with_two_delivered(const Receiver& receiver, const std::string& more) {
    add_endpoint("crm", receiver.url(), more);
    ASSERT_TRUE(host.start());
    send_messages(0, 2);
    ASSERT_TRUE(reaches(receiver, 2));
    ASSERT_TRUE(host.catches_up("crm"));  // both are answered
  }
  // A call of the admin API; the answer, whatever its status.
  RawAnswer call(const std::string& method, const std::string& path, const std::string& body = "{}") const {
    RawClient client(host.admin_port());
    client.send(method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + host.authorization() + "\r\n" + body);
    return client.read_answer();
  }
  [[nodiscard]] std::string state_of(const std::string& name) const { return text(host.subscriber(name), "state"); }
  ::testing::AssertionResult reaches(const Receiver& receiver, std::size_t count) const {
    if (poll_until([&] { return receiver.count() >= count; })) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << receiver.count() << " of " << count << " requests\n" << host.diagnostics();
  }
  static std::vector<std::int64_t> numbers(std::int64_t from, std::int64_t until) {
    std::vector<std::int64_t> out;
    for (auto n = from; n < until; ++n) out.push_back(n);
    return out;
  }

 private:
  void write_endpoints() {
    host.more = lines_ + defaults_;
    if (!endpoints_.empty()) host.more += "endpoints:\n";
    for (const auto& [name, value] : endpoints_) host.more += "  " + name + ": " + value + "\n";
  }
  std::map<std::string, std::string> endpoints_;
  std::string lines_, defaults_;
};

}  // namespace hookhost::test
