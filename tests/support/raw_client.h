// A client on a raw socket: sends exactly the bytes it is given and shows exactly what comes back. Every wait ends at a deadline.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace hookhost::test {

struct RawAnswer {
  int status = 0;  // 0: the connection ended, or the deadline came, before a whole answer
  std::string head;
  std::string body;

  // The value of a header, its name in the case the server writes it.
  [[nodiscard]] std::string header(std::string_view name) const {
    const std::string key = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(key);
    if (at == std::string::npos) return "";
    const std::size_t begin = at + key.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class RawClient {
 public:
  static constexpr std::chrono::seconds kPatience{20};

  explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0) {
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer_bytes > 0) {
      ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    const int one = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(RawClient&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), is_connected_(other.is_connected_), received_(std::move(other.received_)) {}
  RawClient& operator=(RawClient&&) = delete;
  ~RawClient() { close(); }

  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }
  // Ends with a reset instead of an orderly close.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  void end_output() const { ::shutdown(descriptor_, SHUT_WR); }

  // False when the server has closed before all was sent.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // What the peer sent until it closed or `patience` passed.
  std::string receive_all(std::chrono::milliseconds patience = kPatience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (receive_some(end)) {
    }
    return std::exchange(received_, {});
  }

  // The next final answer (100 is passed over unless asked for), framed by Content-Length, chunks or the end.
  RawAnswer read_answer(bool with_body = true, bool also_interim = false) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      RawAnswer answer;
      std::size_t head_end = std::string::npos;
      while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
        if (!receive_some(end)) return answer;
      }
      answer.head = received_.substr(0, head_end + 2);
      received_.erase(0, head_end + 4);
      const int status = std::atoi(answer.head.c_str() + 9);
      if (status < 200) {
        answer.status = status;
        if (also_interim) return answer;
        continue;
      }
      if (with_body && !read_body(answer, end)) return answer;
      answer.status = status;
      return answer;
    }
  }

  // True when the server has ended the connection (orderly or by reset); discards what still comes.
  bool is_closed_by_server(std::chrono::milliseconds patience = kPatience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (receive_some(end)) received_.clear();
    return has_ended_;
  }

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  bool receive_some(Deadline end) {
    if (has_ended_) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd wait{descriptor_, POLLIN, 0};
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) <= 0) return false;
    std::array<char, 64 * 1024> buffer;
    const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (got <= 0) {
      has_ended_ = true;
      return false;
    }
    received_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }

  bool read_exactly(std::size_t bytes, std::string& out, Deadline end) {
    while (received_.size() < bytes) {
      if (!receive_some(end)) return false;
    }
    out += received_.substr(0, bytes);
    received_.erase(0, bytes);
    return true;
  }

  bool read_body(RawAnswer& answer, Deadline end) {
    if (const std::string length = answer.header("Content-Length"); !length.empty()) {
      return read_exactly(std::strtoull(length.c_str(), nullptr, 10), answer.body, end);
    }
    if (answer.header("Transfer-Encoding") != "chunked") {
      if (answer.head.starts_with("HTTP/1.1 204") || answer.head.starts_with("HTTP/1.1 304")) return true;
      while (receive_some(end)) {
      }
      answer.body = std::exchange(received_, {});
      return has_ended_;
    }
    for (;;) {
      std::size_t line_end = std::string::npos;
      while ((line_end = received_.find("\r\n")) == std::string::npos) {
        if (!receive_some(end)) return false;
      }
      const std::size_t size = std::strtoull(received_.c_str(), nullptr, 16);
      received_.erase(0, line_end + 2);
      if (!read_exactly(size, answer.body, end)) return false;
      std::string line;
      if (!read_exactly(2, line, end)) return false;
      if (size == 0) return true;
    }
  }

  int descriptor_ = -1;
  bool is_connected_ = false;
  bool has_ended_ = false;
  std::string received_;
};

// "POST /in/x HTTP/1.1" with a Host, the body's length and `headers` (each ended by CRLF).
inline std::string post(std::string_view body, std::string_view headers = "", std::string_view target = "/in/x") {
  std::string request = "POST " + std::string(target) + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  request += headers;
  request += "\r\n";
  request += body;
  return request;
}

// Asks until `condition` holds; false when `patience` has passed.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds patience = RawClient::kPatience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

}  // namespace hookhost::test
