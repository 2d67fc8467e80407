// The way out: answers, what the socket does not take at once, deadlines and the end.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "base/diagnostics.h"
#include "base/event_id.h"
#include "http/connection.h"
#include "http/encode.h"

namespace hookhost::http {
namespace {

constexpr std::size_t kStreamPieceBytes = 64 * 1024;
constexpr int kPollMs = 100;

std::int64_t nanoseconds(MonotonicTime time) { return time.time_since_epoch().count(); }

}  // namespace

void Connection::set_deadline(Duration after) {
  deadline_ns_.store(nanoseconds(shared_->options.clock->monotonic() + after), std::memory_order_relaxed);
}

void Connection::set_phase(Phase phase) {
  phase_ = phase;
  switch (phase) {
    case Phase::handshake:
    case Phase::head: return set_deadline(shared_->options.header_timeout);
    case Phase::idle: return set_deadline(shared_->options.idle_timeout);
    case Phase::body: return set_deadline(shared_->options.body_timeout);
    case Phase::lingering: return set_deadline(shared_->options.linger_timeout);
    case Phase::answering: deadline_ns_.store(0, std::memory_order_relaxed);
  }
}

bool Connection::will_close(bool asked) const {
  const bool is_last = input_has_ended_ && input_.empty() && !is_processing_;
  return is_last || asked || !keep_alive_ || closes_after_answer_ || overran_ || shared_->is_draining.load(std::memory_order_relaxed);
}

EncodeOptions Connection::encode_options(bool close) const {
  return EncodeOptions{version_, close, head_only_, false, shared_->options.clock->wall()};
}

void Connection::send_answer(const Response& response) {
  const bool close = will_close(response.close);
  send_bytes(encode(response, encode_options(close)));
  answered(close);
}

void Connection::send_refusal(const Response& response) {
  if (!is_open_ || phase_ == Phase::lingering) return;
  explain(response);
  send_bytes(encode(response, encode_options(true)));
  answered(true);
}

// What is refused before a handler has it. One line a minute of a kind, all of them for who asked for everything.
void Connection::explain(const Response& refusal) const {
  if (!refusal.error) return;
  const ErrorNote& error = *refusal.error;
  const auto left_out = shared_->lines.pass(shared_->options.name, error.code);
  const Level level = !left_out ? Level::debug : refusal.status >= 500 ? Level::warn : Level::info;
  diagnose(level, "http", "a request was refused: " + error.message,
           {{"listener", shared_->options.name}, {"reason", to_string(error.code)}, {"request_id", error.request_id.value}, {"peer", peer_},
            {"left_out", left_out.value_or(0)}});
}

void Connection::send_bytes(std::string bytes) {
  if (!tls_) return raw_send(std::move(bytes));
  std::string records;
  if (!tls_->encrypt(bytes, records)) return cut_locked();
  raw_send(std::move(records));
}

void Connection::raw_send(std::string bytes) {
  if (!is_open_ || is_cut_) return;
  if (!output_.empty()) {
    output_ += bytes;
    return;
  }
  ssize_t sent = 0;
  do {
    sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent == static_cast<ssize_t>(bytes.size())) return;
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return cut_locked();
  bytes.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  output_ = std::move(bytes);
  set_deadline(shared_->options.write_timeout);
  shared_->wants_caretaker(shared_from_this());
}

// The request in flight, if there is one, has its answer; what comes next on this connection.
void Connection::answered(bool close) {
  if (is_in_flight_) {
    is_in_flight_ = false;
    is_streaming_ = false;
    --shared_->stats.waiting_requests;
  }
  if (!is_open_ || phase_ == Phase::lingering) return;
  closes_after_flush_ = close;
  if (output_.empty()) go_on();
}

void Connection::go_on() {
  if (closes_after_flush_) return begin_linger();
  set_phase(phase_ == Phase::answering ? Phase::idle : phase_);  // else a handshake's records or 100 Continue were flushed
  go_on_or_end();
}

// What waits has its turn, once nothing is under way any more.
void Connection::go_on_or_end() {
  if (is_processing_ || is_in_flight_ || !output_.empty()) return;
  if (!input_.empty()) return shared_->wants_pump(shared_from_this());
  if (is_expected_to_end()) begin_linger();
}

bool Connection::is_expected_to_end() const { return input_has_ended_ || (closes_after_answer_ && phase_ == Phase::idle); }

// RFC 9112 section 9.6: closing with input unread resets the connection, and the reset eats the answer. So: no more output, read on for
// a while, then close.
void Connection::begin_linger() {
  if (!is_open_ || phase_ == Phase::lingering) return;
  if (tls_) {
    std::string records;
    tls_->close_notify(records);
    if (!records.empty()) raw_send(std::move(records));
  }
  if (phase_ == Phase::lingering) return;  // the send failed
  set_phase(Phase::lingering);
  input_.clear();
  output_.clear();
  ::shutdown(descriptor_, SHUT_WR);
}

// The reactor sees the end of input and closes the descriptor; with SO_LINGER at 0 nothing is kept for a client that does not read.
void Connection::cut_locked() {
  if (!is_open_ || is_cut_) return;
  is_cut_ = true;
  phase_ = Phase::lingering;
  deadline_ns_.store(0, std::memory_order_relaxed);
  input_.clear();
  output_.clear();
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::shutdown(descriptor_, SHUT_RDWR);
}

void Connection::cut() {
  const std::lock_guard lock(mutex_);
  cut_locked();
}

void Connection::disconnected() {
  const std::lock_guard lock(mutex_);
  if (!is_open_) return;
  is_open_ = false;
  descriptor_ = -1;
  is_disconnected_.store(true, std::memory_order_release);
  --shared_->stats.connections;
  deadline_ns_.store(0, std::memory_order_relaxed);
  input_.clear();
  output_.clear();
}

void Connection::close_leftover() {
  int descriptor = -1;
  {
    const std::lock_guard lock(mutex_);
    if (is_open_) descriptor = descriptor_;
  }
  disconnected();
  if (descriptor >= 0) ::close(descriptor);
}

void Connection::refuse_for_overload() {
  const std::lock_guard lock(mutex_);
  if (tls_) return cut_locked();
  send_refusal(error_response(ErrorCode::unavailable, "too many connections are open: connect again later", make_request_id()));
}

void Connection::drain() {
  const std::lock_guard lock(mutex_);
  closes_after_answer_ = true;
  if (phase_ == Phase::handshake) return cut_locked();
  go_on_or_end();
}

void Connection::on_deadline(MonotonicTime now) {
  const auto is_due = [&] {
    const std::int64_t due = deadline_ns_.load(std::memory_order_relaxed);
    return due != 0 && nanoseconds(now) >= due;
  };
  if (!is_due()) return;
  const std::lock_guard lock(mutex_);
  if (!is_open_ || is_processing_ || !is_due()) return;
  if (!output_.empty()) {
    ++shared_->stats.cut_not_reading;
    return cut_locked();
  }
  switch (phase_) {
    case Phase::handshake:
      ++shared_->stats.timeouts;
      return cut_locked();
    case Phase::idle: return begin_linger();
    case Phase::head:
      ++shared_->stats.timeouts;
      head_only_ = false;
      return send_refusal(error_response(ErrorCode::timeout, "send the head of a request faster", make_request_id()));
    case Phase::body:
      ++shared_->stats.timeouts;
      return send_refusal(error_response(ErrorCode::timeout, "send the body of a request faster", request_id_));
    case Phase::lingering: return cut_locked();
    case Phase::answering: return;
  }
}

int Connection::flush() {
  const std::lock_guard lock(mutex_);
  return flush_locked();
}

int Connection::flush_locked() {
  if (!is_open_ || output_.empty()) return -1;
  const ssize_t sent = ::send(descriptor_, output_.data(), output_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    cut_locked();
    return -1;
  }
  if (sent > 0) {
    output_.erase(0, static_cast<std::size_t>(sent));
    set_deadline(shared_->options.write_timeout);
  }
  if (!output_.empty()) return descriptor_;
  if (is_in_flight_) {
    deadline_ns_.store(0, std::memory_order_relaxed);
  } else {
    go_on();
  }
  return -1;
}

void Connection::answer(const Response& response) {
  const std::lock_guard lock(mutex_);
  if (!is_in_flight_) return;
  if (!is_open_ || phase_ == Phase::lingering) return answered(true);
  send_answer(response);
}

void Connection::answer_json(int status, std::string_view body) {
  const std::lock_guard lock(mutex_);
  if (!is_in_flight_) return;
  if (!is_open_ || phase_ == Phase::lingering) return answered(true);
  const bool close = will_close(false);
  send_bytes(encode_json(status, body, encode_options(close)));
  answered(close);
}

void Connection::abandon() {
  ++shared_->stats.handler_failures;
  diagnose(Level::error, "http", "a request was left unanswered by its handler", {{"request_id", request_id_.value}});
  answer(error_response(ErrorCode::internal_error, "the request could not be handled: send it again", request_id_));
}

bool Connection::begin_stream(const Response& response, bool& chunked, bool& discards) {
  const std::lock_guard lock(mutex_);
  if (!is_in_flight_) return false;
  if (!is_open_ || phase_ == Phase::lingering) {
    answered(true);
    return false;
  }
  chunked = version_ >= 11;
  discards = head_only_;
  if (!chunked || will_close(response.close)) closes_after_answer_ = true;  // the body of HTTP/1.0 ends with the connection
  is_streaming_ = true;
  EncodeOptions options = encode_options(closes_after_answer_);
  options.streamed = true;
  send_bytes(encode(response, options));
  return true;
}

Result<> Connection::write_stream(std::string_view bytes, bool chunked) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kStreamPieceBytes);
    bytes.remove_prefix(piece.size());
    HOOKHOST_CHECK(send_piece(chunked ? encode_chunk(piece) : std::string(piece)));
  }
  return success();
}

Result<> Connection::send_piece(std::string piece) {
  std::unique_lock lock(mutex_);
  while (is_open_ && !is_cut_ && is_streaming_ && !output_.empty()) {  // the caretaker's deadline ends this wait
    pollfd room{descriptor_, POLLOUT, 0};
    lock.unlock();
    ::poll(&room, 1, kPollMs);
    lock.lock();
    flush_locked();
  }
  if (!is_open_ || is_cut_ || !is_streaming_) return fail(ErrorCode::unavailable, "the client is gone or does not read its answer");
  send_bytes(std::move(piece));
  return success();
}

Result<> Connection::end_stream(bool chunked, bool discards) {
  Result<> sent = success();
  if (chunked && !discards) sent = send_piece("0\r\n\r\n");
  const std::lock_guard lock(mutex_);
  answered(will_close(false));
  return sent;
}

void Connection::abort_stream() {
  const std::lock_guard lock(mutex_);
  cut_locked();
  answered(true);
}

bool Connection::awaits_answer() const {
  const std::lock_guard lock(mutex_);
  return is_open_ && !is_cut_ && is_in_flight_;
}

}  // namespace hookhost::http
