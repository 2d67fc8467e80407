#include "http/message.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "base/bytes.h"

namespace hookhost::http {

// RFC 9112 section 3.2.2: a server accepts the absolute form, "POST http://host/in/x", too.
std::string_view RequestHead::path() const {
  std::string_view path = std::string_view(target).substr(0, target.find('?'));
  const std::size_t scheme = path.find("://");
  if (path.starts_with('/') || scheme == std::string_view::npos) return path;
  path.remove_prefix(scheme + 3);
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? "/" : path.substr(slash);
}

std::string_view RequestHead::query() const {
  const std::size_t at = target.find('?');
  return at == std::string::npos ? std::string_view{} : std::string_view(target).substr(at + 1);
}

const std::string* find_header(const RequestHead& head, std::string_view name) {
  for (const Header& header : head.headers) {
    if (equals_ignoring_case(header.name, name)) return &header.value;
  }
  return nullptr;
}

std::vector<std::string_view> all_headers(const RequestHead& head, std::string_view name) {
  std::vector<std::string_view> values;
  for (const Header& header : head.headers) {
    if (equals_ignoring_case(header.name, name)) values.emplace_back(header.value);
  }
  return values;
}

std::size_t count_headers(const RequestHead& head, std::string_view name) {
  std::size_t count = 0;
  for (const Header& header : head.headers) count += equals_ignoring_case(header.name, name) ? 1 : 0;
  return count;
}

std::string_view status_text(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return status < 400 ? "OK" : "Error";
  }
}

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

Response error_response(ErrorCode code, std::string_view message, const RequestId& id, unsigned retry_after_s) {
  return error_response(http_status(code), code, message, id, retry_after_s);
}

Response error_response(int status, ErrorCode code, std::string_view message, const RequestId& id, unsigned retry_after_s) {
  std::string body = "{\"error\":\"";
  body += to_string(public_code(code));
  body += "\",\"message\":";
  body += boost::json::serialize(boost::json::value(boost::json::string_view(message.data(), message.size())));
  body += ",\"request_id\":\"";
  body += id.value;
  body += "\"}";
  Response response = json_response(status, std::move(body));
  if (status == 503 || status == 429) response.headers.push_back({"Retry-After", std::to_string(retry_after_s)});
  response.error = ErrorNote{code, std::string(message), id};
  return response;
}

Response error_response(const Error& error, const RequestId& id, unsigned retry_after_s) {
  const ErrorCode code = public_code(error.code);
  if (code != error.code && code == ErrorCode::internal_error) return failure_response(id);
  std::string_view message = error.message;
  if (code != error.code && code == ErrorCode::unavailable) message = "the host cannot do this now: send it again later";
  return error_response(code, message, id, retry_after_s);
}

Response failure_response(const RequestId& id) {
  return error_response(ErrorCode::internal_error, "the host failed at this: its diagnostics say why, under this request_id", id);
}

}  // namespace hookhost::http
