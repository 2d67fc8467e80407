#include "http_client/watch.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace hookhost::http_client {
namespace {

constexpr std::size_t kReadyMax = 128;
constexpr int kUnaskedReadsMax = 16;
constexpr int kReceiveBufferBytes = 128 << 10;  // the system grows it to 32 MiB for one who sends without end; answers are small

MonotonicTime now() { return system_clock().monotonic(); }

int control(int epoll, int operation, int descriptor, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  return ::epoll_ctl(epoll, operation, descriptor, &event);
}

}  // namespace

Watch::Watch() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  HOOKHOST_ASSERT(epoll_ >= 0 && event_ >= 0);
  HOOKHOST_ASSERT(control(epoll_, EPOLL_CTL_ADD, event_, EPOLLIN) == 0);
}

Watch::~Watch() {
  ::close(event_);
  ::close(epoll_);
}

void Watch::attach(CURLM* multi) {
  multi_ = multi;
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
}

void Watch::follow_sockets_of(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
}

void Watch::note_socket_of(CURL* easy, curl_socket_t& where) { curl_easy_setopt(easy, CURLOPT_PRIVATE, &where); }
void Watch::forget_socket_of(CURL* easy) { curl_easy_setopt(easy, CURLOPT_PRIVATE, nullptr); }

std::optional<std::uint64_t> Watch::received(curl_socket_t descriptor) {
  tcp_info info{};
  socklen_t size = sizeof info;
  const bool known = ::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
  if (!known || size < offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) return std::nullopt;
  return info.tcpi_bytes_received;
}

curl_socket_t Watch::open_socket(const curl_sockaddr& address) {
  const int descriptor = ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (descriptor < 0) return CURL_SOCKET_BAD;
  static_cast<void>(::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof kReceiveBufferBytes));
  followed_[descriptor] = {};
  return descriptor;
}

int Watch::on_close_socket(void* self, curl_socket_t descriptor) {
  static_cast<Watch*>(self)->followed_.erase(descriptor);
  return ::close(descriptor);  // and epoll forgets it
}

void Watch::wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event_, &one, sizeof one));  // it cannot fail in a way that leaves the round waiting
}

int Watch::patience(std::optional<MonotonicTime> until) const {
  if (due_) until = until ? std::min(*until, *due_) : due_;
  if (!until) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Watch::round(std::optional<MonotonicTime> until) {
  std::array<epoll_event, kReadyMax> ready{};
  const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), patience(until));
  int running = 0;
  // Order: before libcurl is asked anything, for at any call it begins what is due, also on a connection whose bytes wait here.
  for (int n = 0; n < count; ++n) {
    const int descriptor = ready.at(static_cast<std::size_t>(n)).data.fd;
    if (descriptor != event_) static_cast<void>(wanted(descriptor));
  }
  for (int n = 0; n < count; ++n) {
    const epoll_event& one = ready.at(static_cast<std::size_t>(n));
    if (one.data.fd == event_) {
      std::uint64_t woken = 0;
      static_cast<void>(!::read(event_, &woken, sizeof woken));
      continue;
    }
    if (!wanted(one.data.fd)) continue;
    int what = 0;
    if ((one.events & EPOLLIN) != 0) what |= CURL_CSELECT_IN;
    if ((one.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
    if ((one.events & (EPOLLERR | EPOLLHUP)) != 0) what |= CURL_CSELECT_ERR;
    curl_multi_socket_action(multi_, one.data.fd, what, &running);  // one that an earlier one of this round has ended is unknown to libcurl
  }
  if (due_ && now() >= *due_) {
    due_.reset();  // Order: libcurl sets the next one
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

int Watch::on_socket(CURL* easy, curl_socket_t descriptor, int what, void* self, void*) {
  auto& watch = *static_cast<Watch*>(self);
  const auto followed = watch.followed_.find(descriptor);
  const bool removed = what == CURL_POLL_REMOVE;
  curl_socket_t* noted = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &noted);
  if (noted != nullptr && (!removed || *noted == descriptor)) *noted = removed ? CURL_SOCKET_BAD : descriptor;
  if (followed != watch.followed_.end()) followed->second.wanted = !removed;
  if (removed) {
    if (followed == watch.followed_.end()) control(watch.epoll_, EPOLL_CTL_DEL, descriptor, 0);
    return 0;
  }
  std::uint32_t events = 0;
  if (what != CURL_POLL_OUT) events |= EPOLLIN;
  if (what != CURL_POLL_IN) events |= EPOLLOUT;
  if (followed == watch.followed_.end()) {
    if (control(watch.epoll_, EPOLL_CTL_ADD, descriptor, events) != 0) control(watch.epoll_, EPOLL_CTL_MOD, descriptor, events);
  } else if (followed->second.events != events) {
    control(watch.epoll_, followed->second.events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, events);
    followed->second.events = events;
  }
  return 0;
}

// A kept connection that its peer writes to or closes. What is written would be taken for the answer of the next request: there is none on it any more.
bool Watch::wanted(int descriptor) {
  const auto followed = followed_.find(descriptor);
  if (followed == followed_.end() || followed->second.wanted) return true;
  if (!followed->second.shared) end_kept(descriptor);
  control(epoll_, EPOLL_CTL_DEL, descriptor, 0);
  followed->second.events = 0;
  return false;
}

void Watch::note_shared(int descriptor) {
  if (const auto followed = followed_.find(descriptor); followed != followed_.end()) followed->second.shared = true;
}

// libcurl sees that it is dead when it wants to use it: by its end once nothing is left to read, else when it cannot be written to.
void Watch::end_kept(int descriptor) {
  std::array<char, 4096> unasked{};
  for (int reads = 0; reads < kUnaskedReadsMax && ::recv(descriptor, unasked.data(), unasked.size(), MSG_DONTWAIT) > 0; ++reads) {
  }
  ::shutdown(descriptor, SHUT_RDWR);
}

int Watch::on_timer(CURLM*, long milliseconds, void* self) {
  auto& watch = *static_cast<Watch*>(self);
  watch.due_ = milliseconds < 0 ? std::nullopt : std::optional(now() + std::chrono::milliseconds{milliseconds});
  return 0;
}

}  // namespace hookhost::http_client
