#include "http_client/easy.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace hookhost::http_client {

namespace {

// What libcurl adds unless it is told not to.
struct NotAdded {
  std::string_view name;
  std::array<char, 16> line;
};
std::array<NotAdded, 3> not_added{{{"Expect", {"Expect:"}}, {"Accept", {"Accept:"}}, {"Content-Type", {"Content-Type:"}}}};

}  // namespace

curl_slist* HeaderList::of(Headers& headers) {
  lines_.clear();
  std::array<bool, not_added.size()> said{};
  std::string& all = headers.lines();
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = all.find('\0', begin);
    const std::string_view line = std::string_view(all).substr(begin, end - begin);
    for (std::size_t n = 0; n < said.size(); ++n) {
      const std::size_t size = not_added[n].name.size();
      if (line.size() > size && (line[size] == ':' || line[size] == ';') && equals_ignoring_case(line.substr(0, size), not_added[n].name)) said[n] = true;
    }
    lines_.push_back({&all[begin], nullptr});
    begin = end + 1;
  }
  for (std::size_t n = 0; n < said.size(); ++n) {
    if (!said[n]) lines_.push_back({not_added[n].line.data(), nullptr});
  }
  for (std::size_t n = 1; n < lines_.size(); ++n) lines_[n - 1].next = &lines_[n];
  return lines_.data();
}

void set_common(CURL* handle, const std::string& url, const std::string& method) {
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
}

ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return ErrorCode::unreachable;
    case CURLE_OPERATION_TIMEDOUT: return ErrorCode::timeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return ErrorCode::usage;
    default: return ErrorCode::io_error;
  }
}

Error not_lines() { return {ErrorCode::usage, "a header holds a line break; mend its value"}; }

}  // namespace hookhost::http_client
