#include "http/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cctype>
#include <limits>
#include <optional>

#include "base/bytes.h"
#include "http/chunk_framing.h"

namespace hookhost::http {
namespace {

namespace beast = boost::beast;
using beast::http::error;
using ErrorCodeOut = boost::system::error_code;

// Beast asserts that it never sees less of "0\r\n\r\n" once it knows that the last chunk has begun. Every chunked body has as much to come.
constexpr std::size_t kChunkedBytesMin = 5;
constexpr std::size_t kReservedBodyBytes = 64 * 1024;  // what an announced length may claim before bytes arrive

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// Collects what Beast finds. Beast's own containers are not used: each header is kept as it was sent.
class Collector final : public beast::http::basic_parser<true> {
 public:
  Request request;
  Refusal refused;
  bool is_refused = false;
  bool head_is_done = false;
  bool is_complete = false;
  bool discards = false;
  bool expects_continue = false;
  unsigned hosts = 0;
  unsigned transfer_encodings = 0;
  bool is_lone_chunked = false;
  bool names_chunked = false;
  std::uint32_t fields_max = 0;

  void refuse(int status, ErrorCode code, const char* message) {
    if (!is_refused) refused = Refusal{status, code, message};
    is_refused = true;
  }

 private:
  void stop(ErrorCodeOut& ec) { ec = error::bad_value; }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                       ErrorCodeOut& ec) override {
    request.head.method = view(method);
    request.head.target = view(target);
    request.head.version = version;
    request.head.headers.reserve(12);
    ec = {};
  }

  void on_response_impl(int, beast::string_view, int, ErrorCodeOut&) override {}

  void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value, ErrorCodeOut& ec) override {
    ec = {};
    if (head_is_done) return;  // a trailer: nothing may depend on it
    if (request.head.headers.size() >= fields_max) {
      refuse(431, ErrorCode::header_too_large, "send fewer header fields");
      return stop(ec);
    }
    if (field == beast::http::field::host) ++hosts;
    if (field == beast::http::field::expect && equals_ignoring_case(view(value), "100-continue")) expects_continue = true;
    if (field == beast::http::field::transfer_encoding) {
      ++transfer_encodings;
      const std::string lower = to_lower(view(value));
      is_lone_chunked = trim(lower) == "chunked";
      names_chunked = names_chunked || lower.find("chunked") != std::string::npos;
    }
    request.head.headers.push_back({std::string(view(name)), std::string(view(value))});
  }

  void on_header_impl(ErrorCodeOut& ec) override {
    ec = {};
    head_is_done = true;
    request.head.chunked = chunked();
    if (const auto length = content_length()) request.head.content_length = *length;
    if (request.head.version >= 11 && hosts == 0) refuse(400, ErrorCode::invalid_request, "send a Host header");
    if (hosts > 1) refuse(400, ErrorCode::invalid_request, "send one Host header");
    check_transfer_encoding();
    if (is_refused) stop(ec);
  }

  // RFC 9112 section 6.1: what is not understood in full must not be guessed at, or two servers in a row read two different requests.
  void check_transfer_encoding() {
    if (transfer_encodings == 0) return;
    if (request.head.version < 11) {
      refuse(400, ErrorCode::invalid_request, "Transfer-Encoding needs HTTP/1.1");
    } else if (names_chunked && (transfer_encodings > 1 || !is_lone_chunked)) {
      refuse(501, ErrorCode::not_supported, "send the body with Content-Length or with chunked alone");
    } else if (!chunked()) {
      refuse(400, ErrorCode::invalid_request, "send the body with Content-Length or with chunked");
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCodeOut& ec) override {
    ec = {};
    if (length && !discards) request.body.reserve(std::min<std::uint64_t>(*length, kReservedBodyBytes));
  }
  std::size_t on_body_impl(beast::string_view bytes, ErrorCodeOut& ec) override {
    ec = {};
    if (!discards) request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCodeOut& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, ErrorCodeOut& ec) override {
    return on_body_impl(bytes, ec);
  }
  void on_finish_impl(ErrorCodeOut& ec) override {
    ec = {};
    is_complete = true;
  }
};

}  // namespace

class RequestParser::Impl {
 public:
  Impl(std::uint32_t bytes_max, std::uint32_t fields_max) : header_bytes_max(bytes_max), header_fields_max(fields_max) { reset(); }

  void reset() {
    collector.emplace();
    collector->header_limit(header_bytes_max);
    collector->body_limit(boost::none);
    collector->fields_max = header_fields_max;
    head_bytes = 0;
    scanned = 0;
    has_started = false;
    head_was_told = false;
    chunks = {};
    chunk_bytes_seen = 0;
  }

  Status refuse(int status, ErrorCode code, const char* message) {
    collector->refuse(status, code, message);
    return Status::refused;
  }

  // Beast waits for the end of the head before it judges; what can never become one is refused as soon as it is seen.
  bool is_plausible_head(std::string_view bytes) {
    for (; scanned < bytes.size(); ++scanned) {
      const auto c = static_cast<unsigned char>(bytes[scanned]);
      if (c == '\n') {
        const bool after_return = scanned > 0 ? bytes[scanned - 1] == '\r' : last_was_return;
        if (!after_return) return false;
      } else if (c == 0x7F || (c < 0x20 && c != '\r' && c != '\t')) {
        return false;
      }
    }
    return true;
  }

  Status feed_head(std::string_view bytes, std::size_t& used);
  Status feed_body(std::string_view bytes, std::size_t& used);
  Status refuse_for(const ErrorCodeOut& ec, std::string_view bytes);

  const std::uint32_t header_bytes_max;
  const std::uint32_t header_fields_max;
  std::optional<Collector> collector;
  std::uint64_t head_bytes = 0;  // used so far
  std::size_t scanned = 0;       // of the bytes that come again
  bool last_was_return = false;
  bool has_started = false;
  bool head_was_told = false;
  ChunkFraming chunks;
  std::size_t chunk_bytes_seen = 0;  // of the bytes that come again
};

RequestParser::Status RequestParser::Impl::refuse_for(const ErrorCodeOut& ec, std::string_view bytes) {
  if (collector->is_refused) return Status::refused;
  if (ec == error::header_limit) return refuse(431, ErrorCode::header_too_large, "send a shorter head");
  if (ec == error::body_limit) return refuse(413, ErrorCode::body_too_large, "send a shorter body");
  if (ec == error::bad_version) {
    const std::size_t at = bytes.find(" HTTP/");
    const auto is_digit = [&](std::size_t i) { return std::isdigit(static_cast<unsigned char>(bytes[i])) != 0; };
    const bool other_version =
        at != std::string_view::npos && at + 8 < bytes.size() && bytes[at + 7] == '.' && is_digit(at + 6) && is_digit(at + 8);
    if (other_version) return refuse(505, ErrorCode::not_supported, "use HTTP/1.1");
  }
  return refuse(400, ErrorCode::invalid_request, "the request is not well-formed HTTP/1.1");
}

RequestParser::Status RequestParser::Impl::feed_head(std::string_view bytes, std::size_t& used) {
  if (!has_started) {  // RFC 9112 section 2.2: empty lines before a request are passed over
    while (bytes.size() - used >= 2 && bytes[used] == '\r' && bytes[used + 1] == '\n') used += 2;
    if (used == bytes.size() || (bytes.size() - used == 1 && bytes[used] == '\r')) return Status::need_more;
    bytes.remove_prefix(used);
    has_started = true;
    scanned = 0;
    last_was_return = false;
  }
  // Only the head itself is scanned: what follows it is body.
  std::size_t window = bytes.size();
  if (head_bytes > 0 && bytes.starts_with("\r\n")) {
    window = 2;  // whole lines were used before; this one ends the head
  } else if (const std::size_t end = bytes.find("\r\n\r\n"); end != std::string_view::npos) {
    window = end + 4;
  }
  if (!is_plausible_head(bytes.substr(0, window))) {
    return refuse(400, ErrorCode::invalid_request, "the request is not well-formed HTTP/1.1");
  }
  ErrorCodeOut ec;
  std::size_t taken = 0;
  while (!collector->head_is_done && !ec) {
    taken += collector->put(boost::asio::const_buffer(bytes.data() + taken, bytes.size() - taken), ec);
  }
  head_bytes += taken;
  used += taken;
  if (ec && ec != error::need_more) return refuse_for(ec, bytes);
  if (head_bytes + (collector->head_is_done ? 0 : bytes.size() - taken) > header_bytes_max) {
    return refuse(431, ErrorCode::header_too_large, "send a shorter head");
  }
  if (taken > 0) last_was_return = false;  // Beast stops behind whole lines
  scanned = scanned > taken ? scanned - taken : 0;
  if (!collector->head_is_done) return Status::need_more;
  head_was_told = true;
  return Status::head;
}

RequestParser::Status RequestParser::Impl::feed_body(std::string_view bytes, std::size_t& used) {
  if (collector->request.head.chunked) {
    if (!chunks.accept(bytes.substr(chunk_bytes_seen))) return refuse(400, ErrorCode::invalid_request, "the chunked body is not well-formed");
    chunk_bytes_seen = bytes.size();
  }
  ErrorCodeOut ec;
  const std::size_t bytes_min = collector->request.head.chunked ? kChunkedBytesMin : 1;
  while (!collector->is_complete && !ec && bytes.size() - used >= bytes_min) {
    used += collector->put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used), ec);
  }
  chunk_bytes_seen -= std::min(chunk_bytes_seen, used);
  if (collector->is_complete) return Status::complete;
  if (ec && ec != error::need_more) return refuse_for(ec, bytes);
  // A chunk's head with endless extensions, or endless trailers.
  if (bytes.size() - used > header_bytes_max) return refuse(431, ErrorCode::header_too_large, "send shorter chunk heads and trailers");
  return Status::need_more;
}

RequestParser::RequestParser(std::uint32_t header_bytes_max, std::uint32_t header_fields_max)
    : impl_(std::make_unique<Impl>(header_bytes_max, header_fields_max)) {}
RequestParser::~RequestParser() = default;

RequestParser::Status RequestParser::feed(std::string_view bytes, std::size_t& used) {
  used = 0;
  if (impl_->collector->is_refused) return Status::refused;
  return impl_->head_was_told ? impl_->feed_body(bytes, used) : impl_->feed_head(bytes, used);
}

void RequestParser::set_body_limit(std::uint64_t bytes_max) { impl_->collector->body_limit(bytes_max); }
void RequestParser::discard_body() { impl_->collector->discards = true; }
bool RequestParser::head_done() const { return impl_->head_was_told; }
bool RequestParser::started() const { return impl_->has_started; }
bool RequestParser::keep_alive() const { return impl_->collector->keep_alive(); }
bool RequestParser::has_body() const {
  const RequestHead& head = impl_->collector->request.head;
  return head.chunked || head.content_length.value_or(0) > 0;
}
bool RequestParser::expects_continue() const { return impl_->collector->expects_continue; }
std::size_t RequestParser::body_bytes() const { return impl_->collector->request.body.size(); }
RequestHead& RequestParser::head() { return impl_->collector->request.head; }
Request RequestParser::take() { return std::move(impl_->collector->request); }
const Refusal& RequestParser::refusal() const { return impl_->collector->refused; }
void RequestParser::reset() { impl_->reset(); }

}  // namespace hookhost::http
