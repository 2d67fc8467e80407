// A receiver of HTTP POSTs on 127.0.0.1 whose answers the test decides: one thread a connection, connections kept.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace hookhost::test {

class HttpReceiver {
 public:
  // Gets a body, gives the whole answer; an empty one closes the connection without an answer. Called from several threads.
  using Answer = std::function<std::string(const std::string& body)>;

  // Answers on the socket itself, as slowly, as long or as badly as it likes. False: the connection is closed.
  using Serve = std::function<bool(int peer, const std::string& body)>;

  static std::string status(int code, const std::string& headers = "") {
    return "HTTP/1.1 " + std::to_string(code) + " X\r\nContent-Length: 2\r\n" + headers + "\r\nok";
  }

  explicit HttpReceiver(Answer answer, std::uint16_t port = 0)
      : HttpReceiver(Serve([answer = std::move(answer)](int peer, const std::string& body) {
          const std::string bytes = answer(body);
          return !bytes.empty() && ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
        }), port) {}
  explicit HttpReceiver(Serve serve, std::uint16_t port = 0) : serve_(std::move(serve)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int one = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0) std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~HttpReceiver() {
    {
      const std::scoped_lock lock(mutex_);
      ended_ = true;
      for (const int peer : peers_) ::shutdown(peer, SHUT_RDWR);
    }
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (auto& [number, thread] : threads_) thread.join();
    ::close(listener_);
  }
  HttpReceiver(const HttpReceiver&) = delete;
  HttpReceiver& operator=(const HttpReceiver&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/services/T0/B0/secret-part"; }
  [[nodiscard]] std::vector<std::string> bodies() const {
    const std::scoped_lock lock(mutex_);
    return bodies_;
  }
  // Of each request, up to its blank line.
  [[nodiscard]] std::vector<std::string> heads() const {
    const std::scoped_lock lock(mutex_);
    return heads_;
  }
  [[nodiscard]] std::vector<std::chrono::steady_clock::time_point> times() const {
    const std::scoped_lock lock(mutex_);
    return times_;
  }
  [[nodiscard]] std::size_t connections() const {
    const std::scoped_lock lock(mutex_);
    return connections_;
  }
  // Nobody is connected: what was sent to it has been read.
  [[nodiscard]] bool is_quiet() const {
    const std::scoped_lock lock(mutex_);
    return peers_.empty();
  }

 private:
  void accept_all() {
    for (;;) {
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      const std::scoped_lock lock(mutex_);
      if (peer < 0 || ended_) {
        if (peer >= 0) ::close(peer);
        return;
      }
      for (const auto number : std::exchange(over_, {})) {
        threads_.at(number).join();  // it holds the lock no more
        threads_.erase(number);
      }
      peers_.push_back(peer);
      ++connections_;
      threads_.emplace(connections_, [this, peer, number = connections_] {
        serve(peer);
        const std::scoped_lock closing(mutex_);
        peers_.erase(std::find(peers_.begin(), peers_.end(), peer));
        ::close(peer);
        over_.push_back(number);
      });
    }
  }
  void serve(int peer) {
    std::string input;
    const auto more = [&] {
      char buffer[4096];
      const ssize_t got = ::recv(peer, buffer, sizeof buffer, 0);
      if (got > 0) input.append(buffer, static_cast<std::size_t>(got));
      return got > 0;
    };
    for (;;) {
      std::size_t head = 0;
      while ((head = input.find("\r\n\r\n")) == std::string::npos) {
        if (!more()) return;
      }
      const std::size_t at = input.find("Content-Length: ");
      const std::size_t length = at < head ? std::strtoull(input.c_str() + at + 16, nullptr, 10) : 0;
      while (input.size() < head + 4 + length) {
        if (!more()) return;
      }
      const std::string body = input.substr(head + 4, length);
      std::string request_head = input.substr(0, head + 2);
      input.erase(0, head + 4 + length);
      {
        const std::scoped_lock lock(mutex_);
        bodies_.push_back(body);
        heads_.push_back(std::move(request_head));
        times_.push_back(std::chrono::steady_clock::now());
      }
      if (!serve_(peer, body)) return;
    }
  }

  const Serve serve_;
  const int listener_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  bool ended_ = false;
  std::vector<int> peers_;
  std::vector<std::string> bodies_, heads_;
  std::vector<std::chrono::steady_clock::time_point> times_;
  std::map<std::size_t, std::thread> threads_;  // by the number of their connection
  std::vector<std::size_t> over_;               // those that have nothing more to do
  std::size_t connections_ = 0;
  std::thread acceptor_;
};

}  // namespace hookhost::test
