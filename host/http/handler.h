// What a room above implements to answer requests, and what it answers with.
//
// Order for each request: on_head() once, and unless it refuses, on_request() once with the whole body. One request of a connection is
// with its handler at a time; answers leave in the order of the requests.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace hookhost::http {

class Connection;

// How a request goes on after its head. `context` is kept and handed to on_request(): a request is judged by the configuration at its
// head, even when a reload comes while its body arrives.
struct HeadVerdict {
  std::uint64_t body_bytes_max = 0;
  std::shared_ptr<const void> context;
  std::optional<Response> refusal;

  [[nodiscard]] static HeadVerdict accept(std::uint64_t body_bytes_max, std::shared_ptr<const void> context = nullptr);
  // Answers without on_request(). The connection stays usable when what the client still sends is short.
  [[nodiscard]] static HeadVerdict refuse(Response response);
};

// A long answer, sent chunk by chunk (lists, an events tail). Never used on the thread that called on_request(): write() blocks.
class ResponseWriter {
 public:
  ResponseWriter(ResponseWriter&&) noexcept = default;
  ResponseWriter& operator=(ResponseWriter&&) noexcept;
  ~ResponseWriter();  // not ended: the connection is cut, so that the client sees that the answer is incomplete

  // Blocks until all of `bytes` are with the kernel, at most write_timeout without progress. Error: unavailable, the client is gone
  // or does not read; the connection is cut then.
  [[nodiscard]] Result<> write(std::string_view bytes);
  [[nodiscard]] Result<> end();
  [[nodiscard]] bool is_open() const;

 private:
  friend class Responder;
  ResponseWriter(std::shared_ptr<Connection> connection, bool chunked, bool discards);
  std::shared_ptr<Connection> connection_;
  bool chunked_;
  bool discards_;  // the answer to HEAD
};

// The right, and the duty, to answer one request. Destroyed unanswered: 500 internal_error.
// Threads: movable to any thread; send() may be called from any thread and does not block (what the socket does not take at once is
// written by the server, at most write_timeout long).
class Responder {
 public:
  Responder() = default;
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) noexcept;
  ~Responder();

  // Exactly once. When the client is gone the answer is dropped.
  void send(Response response);
  // The hot way: 200 and JSON, no allocation but the body.
  void send_json(int status, std::string_view body);
  // Sends status and headers; the body follows through the writer. `response.body` is sent first.
  [[nodiscard]] ResponseWriter stream(Response response);

  // False once the client is gone or an answer was sent.
  [[nodiscard]] bool is_open() const;

 private:
  friend class Connection;
  explicit Responder(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  std::shared_ptr<Connection> connection_;
};

// Threads: called on reactor threads, several at once for different connections. Must not block. An exception becomes 500
// internal_error and a diagnostics line; its text does not reach the client.
// Lifetime: outlives the Server.
class Handler {
 public:
  virtual ~Handler() = default;
  [[nodiscard]] virtual HeadVerdict on_head(const RequestHead& head) = 0;
  virtual void on_request(Request&& request, std::shared_ptr<const void> context, Responder responder) = 0;
};

}  // namespace hookhost::http
