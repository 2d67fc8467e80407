#include <utility>

#include "http/connection.h"
#include "http/handler.h"

namespace hookhost::http {

Responder::~Responder() {
  if (connection_) connection_->abandon();
}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    if (connection_) connection_->abandon();
    connection_ = std::move(other.connection_);
  }
  return *this;
}

void Responder::send(Response response) {
  if (const auto connection = std::exchange(connection_, nullptr)) connection->answer(response);
}

void Responder::send_json(int status, std::string_view body) {
  if (const auto connection = std::exchange(connection_, nullptr)) connection->answer_json(status, body);
}

ResponseWriter Responder::stream(Response response) {
  auto connection = std::exchange(connection_, nullptr);
  bool chunked = false;
  bool discards = false;
  if (connection && !connection->begin_stream(response, chunked, discards)) connection = nullptr;
  ResponseWriter writer(std::move(connection), chunked, discards);
  if (!response.body.empty()) (void)writer.write(response.body);
  return writer;
}

bool Responder::is_open() const { return connection_ && connection_->awaits_answer(); }

ResponseWriter::ResponseWriter(std::shared_ptr<Connection> connection, bool chunked, bool discards)
    : connection_(std::move(connection)), chunked_(chunked), discards_(discards) {}

ResponseWriter::~ResponseWriter() {
  if (connection_) connection_->abort_stream();
}

ResponseWriter& ResponseWriter::operator=(ResponseWriter&& other) noexcept {
  if (this != &other) {
    if (connection_) connection_->abort_stream();
    connection_ = std::move(other.connection_);
    chunked_ = other.chunked_;
    discards_ = other.discards_;
  }
  return *this;
}

Result<> ResponseWriter::write(std::string_view bytes) {
  if (!connection_) return fail(ErrorCode::unavailable, "the client is gone or does not read its answer");
  if (discards_) return success();
  return connection_->write_stream(bytes, chunked_);
}

Result<> ResponseWriter::end() {
  const auto connection = std::exchange(connection_, nullptr);
  if (!connection) return fail(ErrorCode::unavailable, "the client is gone or does not read its answer");
  return connection->end_stream(chunked_, discards_);
}

bool ResponseWriter::is_open() const { return connection_ && connection_->awaits_answer(); }

}  // namespace hookhost::http
