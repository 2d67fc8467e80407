// What every use of libcurl's easy handle shares. Private to the room.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/result.h"

namespace hookhost::http_client {

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using EasyHandle = std::unique_ptr<CURL, FreeHandle>;

// A request's header lines as libcurl reads them, without what libcurl would add: "Expect: 100-continue", which costs a round trip, and an Accept or
// Content-Type that the caller did not say. In two pieces of memory:
// curl_slist_append would take two for each line, and walk the list for each.
class HeaderList {
 public:
  // Error: usage, for a name or value that would end its line.
  [[nodiscard]] static Result<HeaderList> of(const std::vector<std::pair<std::string, std::string>>& headers);
  // Valid as long as this, moved or not.
  [[nodiscard]] curl_slist* get() { return lines_.data(); }

 private:
  void append(std::string_view name, std::string_view separator, std::string_view value);
  std::vector<char> bytes_;
  std::vector<curl_slist> lines_;
};

// The options that every request has: URL and method; http and https only.
void set_common(CURL* handle, const std::string& url, const std::string& method);

[[nodiscard]] ErrorCode code_of(CURLcode code);

}  // namespace hookhost::http_client
