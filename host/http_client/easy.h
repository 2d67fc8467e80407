// What every use of libcurl's easy handle shares. Private to the room.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
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

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

// Without "Expect: 100-continue", which costs a round trip. Error: usage, for a name or value that would end its line.
[[nodiscard]] Result<HeaderList> header_list(const std::vector<std::pair<std::string, std::string>>& headers);

// The options that every request has: URL and method; http and https only.
void set_common(CURL* handle, const std::string& url, const std::string& method);
void set_time(CURL* handle, Duration timeout);

[[nodiscard]] ErrorCode code_of(CURLcode code);

}  // namespace hookhost::http_client
