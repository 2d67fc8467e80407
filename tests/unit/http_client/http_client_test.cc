#include "http_client/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace hookhost::http_client {
namespace {

// Takes one connection, reads until the blank line, answers with the given bytes and hangs up.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), answer_(std::move(answer)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~OneAnswer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/x"; }

 private:
  void serve() {
    const int peer = ::accept(listener_, nullptr, nullptr);
    if (peer < 0) return;
    std::string got;
    char byte = 0;
    while (got.find("\r\n\r\n") == std::string::npos && ::read(peer, &byte, 1) == 1) got += byte;
    static_cast<void>(::send(peer, answer_.data(), answer_.size(), MSG_NOSIGNAL));
    ::close(peer);
  }
  int listener_;
  int port_ = 0;
  std::string answer_;
  std::thread thread_;
};

TEST(HttpClient, AnyStatusIsAnAnswerAndRedirectsAreNotFollowed) {
  OneAnswer server("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nhi");
  HttpClient client;
  const auto answer = client.send({.url = server.url()});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer.value().status, 302);
  EXPECT_EQ(answer.value().body, "hi");
}

TEST(HttpClient, AnAnswerBeyondTheBoundIsAnError) {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  HttpClient client;
  EXPECT_FALSE(client.send({.url = server.url(), .answer_bytes_max = 4}));
}

TEST(HttpClient, OneThatClosesBeforeItAnswersWasNotReached) {
  OneAnswer server("");
  HttpClient client;
  const auto answer = client.send({.url = server.url()});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unreachable);
}

TEST(HttpClient, OtherProtocolsAreRefused) {
  HttpClient client;
  const auto answer = client.send({.url = "file:///etc/hostname"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace hookhost::http_client
