// The way in: received bytes, the parser, the handler.
#include <exception>

#include "base/diagnostics.h"
#include "base/event_id.h"
#include "http/connection.h"

namespace hookhost::http {
namespace {

// What a connection may send ahead while its request is being answered. Beyond it the next answer closes.
constexpr std::size_t kPipelinedBytesMax = 1024 * 1024;
constexpr std::uint64_t kLingerBytesMax = 8 * 1024 * 1024;
// Input that one thread works through before others have their turn.
constexpr std::size_t kTurnBytes = 32 * 1024;
// Replies of TLS itself (new keys, alerts) that a client leaves unread.
constexpr std::size_t kUnreadRepliesMax = 64 * 1024;
// The rest of a refused request that is read past instead of closing.
constexpr std::uint64_t kDiscardedBodyMax = 64 * 1024;

}  // namespace

HeadVerdict HeadVerdict::accept(std::uint64_t body_bytes_max, std::shared_ptr<const void> context) {
  return HeadVerdict{body_bytes_max, std::move(context), std::nullopt};
}
HeadVerdict HeadVerdict::refuse(Response response) { return HeadVerdict{0, nullptr, std::move(response)}; }

Connection::Connection(std::shared_ptr<Shared> shared, int descriptor, std::string peer)
    : shared_(std::move(shared)),
      peer_(std::move(peer)),
      descriptor_(descriptor),
      parser_(shared_->options.header_bytes_max, shared_->options.header_fields_max) {
  if (shared_->tls) tls_ = shared_->tls->accept();
  set_phase(shared_->tls ? Phase::handshake : Phase::idle);
}

Connection::~Connection() { shared_->buffered_bytes -= counted_body_ + counted_input_; }

void Connection::receive(std::string_view bytes) {
  std::string plain;
  std::unique_lock lock(mutex_);
  if (!is_open_ || bytes.empty()) return;
  if (shared_->tls) {
    if (!decrypt(bytes, plain)) return;
    bytes = plain;
    if (bytes.empty() && input_has_ended_) return go_on_or_end();
    if (bytes.empty()) return;
  }
  if (phase_ == Phase::lingering) {
    discarded_bytes_ += bytes.size();
    if (discarded_bytes_ > kLingerBytesMax) cut_locked();
    return;
  }
  if (is_processing_ || is_in_flight_ || !output_.empty()) return keep_input(bytes);
  is_processing_ = true;
  if (input_.empty()) {
    lock.unlock();
    return process(bytes);
  }
  std::string joined = take_input();
  lock.unlock();
  joined += bytes;
  process(joined);
}

// RFC 9112 section 9.6: who has asked may stop sending before it is answered.
bool Connection::input_ended() {
  const std::lock_guard lock(mutex_);
  if (!is_open_) return false;
  input_has_ended_ = true;
  go_on_or_end();
  return phase_ != Phase::lingering;
}

bool Connection::decrypt(std::string_view bytes, std::string& plain) {
  std::string to_send;
  const bool is_sound = tls_ != nullptr && phase_ != Phase::lingering && tls_->receive(bytes, plain, to_send);
  if (!to_send.empty()) {
    unread_replies_ = output_.empty() ? 0 : unread_replies_ + to_send.size();
    raw_send(std::move(to_send));
    if (unread_replies_ > kUnreadRepliesMax) cut_locked();
    if (is_cut_) return false;
  }
  if (is_sound) {
    if (phase_ == Phase::handshake && tls_->is_established()) set_phase(Phase::idle);
    if (tls_->peer_has_ended()) input_has_ended_ = true;  // RFC 8446 section 6.1: it may still read
    return true;
  }
  if (phase_ == Phase::lingering) {
    discarded_bytes_ += bytes.size();
    if (discarded_bytes_ > kLingerBytesMax) cut_locked();
    return false;
  }
  ++shared_->stats.tls_failures;
  begin_linger();
  return false;
}

void Connection::keep_input(std::string_view bytes) {
  const std::uint64_t total = shared_->buffered_bytes.load(std::memory_order_relaxed) + bytes.size();
  if (overran_ || input_.size() + bytes.size() > kPipelinedBytesMax || total > shared_->options.buffered_bytes_max) {
    overran_ = true;  // what is lost was never answered: the client sends it again on another connection
    return;
  }
  input_ += bytes;
  counted_input_ += bytes.size();
  shared_->buffered_bytes += bytes.size();
}

std::string Connection::take_input() {
  shared_->buffered_bytes -= counted_input_;
  counted_input_ = 0;
  return std::exchange(input_, {});
}

void Connection::continue_input() {
  std::unique_lock lock(mutex_);
  if (!is_open_ || is_processing_ || is_in_flight_ || !output_.empty() || input_.empty() || phase_ == Phase::lingering) return;
  is_processing_ = true;
  const std::string bytes = take_input();
  lock.unlock();
  process(bytes);
}

void Connection::process(std::string_view bytes) {
  Turn turn{bytes, {}, 0};
  for (;;) {
    bool needs_more = false;
    try {
      needs_more = consume(turn);
    } catch (const std::exception& error) {  // out of memory, in the main
      diagnose(Level::error, "http", "a request could not be processed", {{"reason", error.what()}, {"peer", peer_}});
      cut();
    }
    if (!goes_on(turn, needs_more)) return;
  }
}

bool Connection::goes_on(Turn& turn, bool needs_more) {
  const std::lock_guard lock(mutex_);
  if (!is_open_ || phase_ == Phase::lingering) {
    is_processing_ = false;
    return false;
  }
  const bool waits = is_in_flight_ || !output_.empty();
  if (overran_ && !waits) {
    ++shared_->stats.refused_waiting;
    send_refusal(error_response(ErrorCode::unavailable, "send less ahead of the answers", request_id_));
    is_processing_ = false;
    return false;
  }
  const bool has_more = !input_.empty() || (!turn.left.empty() && !needs_more);
  if (has_more && !waits && turn.used < kTurnBytes) {
    if (!input_.empty()) {
      std::string joined(turn.left);
      joined += take_input();
      turn.own = std::move(joined);
      turn.left = turn.own;
    }
    return true;
  }
  if (!turn.left.empty()) {
    input_.insert(0, turn.left);
    counted_input_ += turn.left.size();
    shared_->buffered_bytes += turn.left.size();
  }
  is_processing_ = false;
  if (waits) return false;
  if (has_more) {
    shared_->wants_pump(shared_from_this());
  } else if (is_expected_to_end()) {
    begin_linger();  // with half a request, perhaps: its rest never comes
  }
  return false;
}

bool Connection::consume(Turn& turn) {
  for (;;) {
    std::size_t step = 0;
    const RequestParser::Status status = parser_.feed(turn.left, step);
    turn.left.remove_prefix(step);
    turn.used += step;
    switch (status) {
      case RequestParser::Status::need_more:
        wait_for_more(!turn.left.empty());
        return true;
      case RequestParser::Status::head:
        if (!on_head(!turn.left.empty())) return false;
        if (!parser_.has_body()) {
          on_complete();
          return false;
        }
        break;
      case RequestParser::Status::complete:
        on_complete();
        return false;
      case RequestParser::Status::refused:
        on_refused();
        return false;
    }
  }
}

void Connection::wait_for_more(bool holds_bytes) {
  const std::lock_guard lock(mutex_);
  if (!is_open_ || phase_ == Phase::lingering) return;
  if (!parser_.head_done()) {
    if ((parser_.started() || holds_bytes) && phase_ != Phase::head) set_phase(Phase::head);
    return;
  }
  if (phase_ != Phase::body) set_phase(Phase::body);
  const std::uint64_t more = parser_.body_bytes() - counted_body_;
  counted_body_ += more;
  if (shared_->buffered_bytes.fetch_add(more) + more > shared_->options.buffered_bytes_max) {
    ++shared_->stats.refused_waiting;
    send_refusal(error_response(ErrorCode::unavailable, "too many bodies are arriving at once: send it again later", request_id_));
  }
}

bool Connection::on_head(bool body_has_begun) {
  RequestHead& head = parser_.head();
  head.request_id = make_request_id();
  head.peer = peer_;
  shared_->stats.requests.fetch_add(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    request_id_ = head.request_id;
    version_ = head.version;
    keep_alive_ = parser_.keep_alive();
    head_only_ = head.method == "HEAD";
  }
  HeadVerdict verdict = judge(head);
  if (!verdict.refusal && head.content_length.value_or(0) > verdict.body_bytes_max) {
    ++shared_->stats.refused_body_too_large;
    verdict.refusal = error_response(ErrorCode::body_too_large, "send a body of at most " + std::to_string(verdict.body_bytes_max) + " bytes",
                                     head.request_id);
    verdict.refusal->close = true;
  }
  if (!verdict.refusal) {
    context_ = std::move(verdict.context);
    parser_.set_body_limit(verdict.body_bytes_max);
    if (parser_.expects_continue() && parser_.has_body() && !body_has_begun && head.version >= 11) {
      const std::lock_guard lock(mutex_);
      if (is_open_) send_bytes("HTTP/1.1 100 Continue\r\n\r\n");
    }
    return true;
  }
  const bool rest_is_short = !head.chunked && head.content_length.value_or(0) <= kDiscardedBodyMax && !parser_.expects_continue();
  if (!verdict.refusal->close && (rest_is_short || !parser_.has_body())) {
    refusal_ = std::move(verdict.refusal);
    parser_.discard_body();
    return true;
  }
  const std::lock_guard lock(mutex_);
  send_refusal(*verdict.refusal);
  return false;
}

HeadVerdict Connection::judge(const RequestHead& head) {
  std::string reason;
  try {
    return shared_->handler->on_head(head);
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
    reason = "not a std::exception";
  }
  ++shared_->stats.handler_failures;
  diagnose(Level::error, "http", "a handler failed at a request's head", {{"request_id", head.request_id.value}, {"reason", reason}});
  Response response = error_response(ErrorCode::internal_error, "the request could not be handled: send it again", head.request_id);
  response.close = true;
  return HeadVerdict::refuse(std::move(response));
}

void Connection::on_complete() {
  Request request = parser_.take();
  parser_.reset();
  std::optional<Response> refusal = std::exchange(refusal_, std::nullopt);
  {
    const std::lock_guard lock(mutex_);
    shared_->buffered_bytes -= counted_body_;
    counted_body_ = 0;
    if (!is_open_ || phase_ == Phase::lingering) return;
    set_phase(Phase::answering);
    if (!refusal && shared_->stats.waiting_requests.fetch_add(1) >= shared_->options.waiting_requests_max) {
      --shared_->stats.waiting_requests;
      ++shared_->stats.refused_waiting;
      refusal = error_response(ErrorCode::unavailable, "too many requests are waiting: send it again later", request_id_);
    }
    if (refusal) {
      explain(*refusal);
      return send_answer(*refusal);
    }
    is_in_flight_ = true;
  }
  call_handler(std::move(request));
}

void Connection::call_handler(Request request) {
  const RequestId id = request.head.request_id;
  std::string reason;
  try {
    // A responder that does not survive the exception answers 500 as it goes.
    return shared_->handler->on_request(std::move(request), std::exchange(context_, nullptr), Responder(shared_from_this()));
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
    reason = "not a std::exception";
  }
  diagnose(Level::error, "http", "a handler failed", {{"request_id", id.value}, {"reason", reason}});
}

void Connection::on_refused() {
  const Refusal& refusal = parser_.refusal();
  const RequestId id = parser_.head_done() ? request_id_ : make_request_id();
  switch (refusal.status) {
    case 431: ++shared_->stats.refused_header_too_large; break;
    case 413: ++shared_->stats.refused_body_too_large; break;
    default: ++shared_->stats.refused_malformed; break;
  }
  const std::lock_guard lock(mutex_);
  if (!parser_.head_done()) head_only_ = false;
  send_refusal(error_response(refusal.status, refusal.code, refusal.message, id));
}

}  // namespace hookhost::http
