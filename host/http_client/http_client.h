// Outgoing HTTP for commands: one request at a time over a kept connection. http and https only; redirects are not followed.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http_client/headers.h"

namespace hookhost::http_client {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  Duration timeout = std::chrono::seconds{30};
  std::size_t answer_bytes_max = 64 << 20;
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// Threads: one at a time. Blocks.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // Any answer is an answer. Error: unreachable (refused, no such host, closed before it answered), timeout, usage (the URL), io_error.
  [[nodiscard]] Result<HttpAnswer> send(HttpRequest request);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace hookhost::http_client
