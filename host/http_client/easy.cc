#include "http_client/easy.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace hookhost::http_client {

namespace {

constexpr std::array<std::string_view, 3> kNotAdded{"Expect", "Accept", "Content-Type"};
constexpr std::string_view kLeftOut = ":";  // libcurl's way to leave one out
constexpr std::string_view kSeparator = ": ";
constexpr std::string_view kEmpty = ";";  // libcurl's way to send an empty one

bool ends_its_line(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos; }

}  // namespace

Result<HeaderList> HeaderList::of(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::size_t bytes = 0;
  for (const auto name : kNotAdded) bytes += name.size() + kLeftOut.size() + 1;
  for (const auto& [name, value] : headers) {
    if (ends_its_line(name) || ends_its_line(value)) return fail(ErrorCode::usage, "a header holds a line break; mend its value");
    bytes += name.size() + kSeparator.size() + value.size() + 1;
  }
  HeaderList out;
  out.bytes_.reserve(bytes);  // Order: lines point into it, so it must not grow
  out.lines_.reserve(headers.size() + kNotAdded.size());
  for (const auto name : kNotAdded) {
    const auto is_it = [&](const auto& header) { return equals_ignoring_case(header.first, name); };
    if (std::none_of(headers.begin(), headers.end(), is_it)) out.append(name, kLeftOut, {});
  }
  for (const auto& [name, value] : headers) out.append(name, value.empty() ? kEmpty : kSeparator, value);
  return out;
}

void HeaderList::append(std::string_view name, std::string_view separator, std::string_view value) {
  char* const line = bytes_.data() + bytes_.size();
  for (const auto part : {name, separator, value}) bytes_.insert(bytes_.end(), part.begin(), part.end());
  bytes_.push_back('\0');
  lines_.push_back({line, nullptr});
  if (lines_.size() > 1) lines_[lines_.size() - 2].next = &lines_.back();
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

}  // namespace hookhost::http_client
