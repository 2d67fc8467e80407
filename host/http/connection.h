// One client: from received bytes to requests, from answers to sent bytes, and when it must end.
//
// Threads. receive() and disconnected() come from the connection's reactor thread; answers from any thread; on_deadline(), flush() from
// the caretaker; continue_input() from the pump. The parser belongs to whoever holds `is_processing_`; everything else is under mutex_.
// The handler is never called under mutex_.
// Invariant: the descriptor is used only under mutex_ and while is_open_; disconnected() clears that before the descriptor can be reused.
// The descriptor is closed by the reactor alone: everybody else ends a connection with shutdown().
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/line_limit.h"
#include "http/encode.h"
#include "http/handler.h"
#include "http/request_parser.h"
#include "http/server.h"
#include "http/tls.h"

namespace hookhost::http {

// What the connections of one server share.
struct Shared {
  ServerOptions options;
  Handler* handler = nullptr;
  Stats stats;
  std::unique_ptr<TlsContext> tls;
  std::atomic<std::uint64_t> buffered_bytes{0};
  std::atomic<bool> is_draining{false};
  LineLimit lines{system_clock()};

  virtual ~Shared() = default;
  virtual void wants_pump(std::shared_ptr<Connection> connection) = 0;       // it has input to go on with
  virtual void wants_caretaker(std::shared_ptr<Connection> connection) = 0;  // it has output that the socket did not take
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Shared> shared, int descriptor, std::string peer);
  ~Connection();

  void receive(std::string_view bytes);
  bool input_ended();  // the client sends no more. False: it is owed nothing
  void disconnected();
  void close_leftover();  // only when no reactor turns any more: closes the descriptor, if it is open
  void refuse_for_overload();  // instead of any receive(): 503 and close

  void continue_input();
  void on_deadline(MonotonicTime now);  // cheap when nothing is due
  void drain();                         // closes when idle; else the next answer closes
  void cut();                           // at once, whatever is under way
  // Tries to send what waits. The descriptor to poll for more room, or -1 when nothing waits.
  int flush();

  // Responder and ResponseWriter. Each answer is dropped when the client is gone.
  void answer(const Response& response);
  void answer_json(int status, std::string_view body);
  void abandon();  // a responder was dropped unanswered
  bool begin_stream(const Response& response, bool& chunked, bool& discards);
  [[nodiscard]] Result<> write_stream(std::string_view bytes, bool chunked);  // blocks
  [[nodiscard]] Result<> end_stream(bool chunked, bool discards);             // blocks
  void abort_stream();
  [[nodiscard]] bool awaits_answer() const;
  [[nodiscard]] bool is_disconnected() const { return is_disconnected_.load(std::memory_order_acquire); }

 private:
  enum class Phase : std::uint8_t { handshake, idle, head, body, answering, lingering };

  // What one thread works through in one go. Bounded, so that requests sent ahead without end do not hold up other connections.
  struct Turn {
    std::string_view left;  // the caller's bytes, or of `own`
    std::string own;
    std::size_t used = 0;
  };

  // Input (connection_input.cc). [owner]: without mutex_, by the thread that holds is_processing_.
  void process(std::string_view bytes);              // [owner]
  bool consume(Turn& turn);                          // [owner] true: only more input helps
  bool goes_on(Turn& turn, bool needs_more);         // [owner] false: the turn is over, what is left is kept
  void wait_for_more(bool holds_bytes);              // [owner]
  bool on_head(bool body_has_begun);                 // [owner] false: answered, and closing
  HeadVerdict judge(const RequestHead& head);        // [owner]
  void on_complete();                                // [owner]
  void on_refused();                                 // [owner]
  void call_handler(Request request);                // [owner]
  bool decrypt(std::string_view bytes, std::string& plain);
  void keep_input(std::string_view bytes);
  std::string take_input();

  // Output (connection_output.cc), under mutex_ unless it blocks.
  [[nodiscard]] bool will_close(bool asked) const;
  [[nodiscard]] EncodeOptions encode_options(bool close) const;
  void send_answer(const Response& response);
  void send_refusal(const Response& response);  // closes
  void explain(const Response& refusal) const;
  void send_bytes(std::string bytes);           // through TLS where there is one
  void raw_send(std::string bytes);
  Result<> send_piece(std::string piece);  // blocks
  int flush_locked();
  void answered(bool close);
  void go_on();
  void go_on_or_end();
  [[nodiscard]] bool is_expected_to_end() const;
  void begin_linger();
  void cut_locked();
  void set_phase(Phase phase);
  void set_deadline(Duration after);

  const std::shared_ptr<Shared> shared_;
  const std::string peer_;
  mutable std::mutex mutex_;
  int descriptor_;
  bool is_open_ = true;
  std::atomic<bool> is_disconnected_{false};  // the descriptor is no longer ours
  bool is_cut_ = false;
  bool is_processing_ = false;
  bool input_has_ended_ = false;      // by FIN or close_notify
  bool is_in_flight_ = false;         // a handler has the request
  bool is_streaming_ = false;         // and is answering it piece by piece
  bool keep_alive_ = true;            // asked for by the request
  bool head_only_ = false;            // HEAD
  bool closes_after_answer_ = false;  // draining
  bool closes_after_flush_ = false;
  bool overran_ = false;  // sent more ahead than is kept
  int version_ = 11;
  Phase phase_ = Phase::idle;
  RequestId request_id_;
  std::string input_;                  // received, not parsed
  std::string output_;                 // not taken by the socket yet
  std::size_t unread_replies_ = 0;     // of TLS itself, behind other output
  std::uint64_t counted_input_ = 0;    // this connection's part of Shared::buffered_bytes
  std::uint64_t counted_body_ = 0;     // and of its body
  std::uint64_t discarded_bytes_ = 0;  // while lingering
  std::atomic<std::int64_t> deadline_ns_{0};  // monotonic; 0: nothing is due
  std::unique_ptr<TlsSession> tls_;

  RequestParser parser_;                 // [owner]
  std::shared_ptr<const void> context_;  // [owner]
  std::optional<Response> refusal_;      // [owner] the answer, once the rest of the request is read past
};

}  // namespace hookhost::http
