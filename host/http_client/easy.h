// What every use of libcurl's easy handle shares. Private to the room.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "http_client/headers.h"

namespace hookhost::http_client {

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using EasyHandle = std::unique_ptr<CURL, FreeHandle>;
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, FreeUrl>;

// Header lines as libcurl reads them, without what libcurl would add: "Expect: 100-continue", which costs a round trip, and an Accept or
// Content-Type that the caller did not say. Its memory is used again: curl_slist_append would take two pieces of it for each line.
class HeaderList {
 public:
  // Valid until the next call, and as long as `headers`.
  [[nodiscard]] curl_slist* of(Headers& headers);

 private:
  std::vector<curl_slist> lines_;
};

// The options that every request has: URL and method; http and https only.
void set_common(CURL* handle, const std::string& url, const std::string& method);

[[nodiscard]] ErrorCode code_of(CURLcode code);
[[nodiscard]] Error not_lines();  // of a request whose headers are none

}  // namespace hookhost::http_client
