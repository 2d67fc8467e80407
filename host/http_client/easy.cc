#include "http_client/easy.h"

namespace hookhost::http_client {

Result<HeaderList> header_list(const std::vector<std::pair<std::string, std::string>>& headers) {
  HeaderList out(curl_slist_append(nullptr, "Expect:"));
  for (const auto& [name, value] : headers) {
    const std::string line = value.empty() ? name + ";" : name + ": " + value;  // libcurl's way to send an empty one
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return fail(ErrorCode::usage, "a header holds a line break; mend its value");
    curl_slist* const longer = curl_slist_append(out.get(), line.c_str());
    HOOKHOST_ASSERT(longer != nullptr);
    static_cast<void>(out.release());
    out.reset(longer);
  }
  return out;
}

void set_common(CURL* handle, const std::string& url, const std::string& method) {
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
}

void set_time(CURL* handle, Duration timeout) {
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
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
