#include "http_client/http_client.h"

#include "http_client/easy.h"

namespace hookhost::http_client {
namespace {

struct Receiving {
  std::string* body;
  std::size_t bytes_max;
};

std::size_t receive(char* data, std::size_t, std::size_t size, void* context) {
  auto& receiving = *static_cast<Receiving*>(context);
  if (receiving.body->size() + size > receiving.bytes_max) return 0;
  receiving.body->append(data, size);
  return size;
}

}  // namespace

struct HttpClient::Handle {
  EasyHandle curl{curl_easy_init()};
};

HttpClient::HttpClient() : handle_(std::make_unique<Handle>()) { HOOKHOST_ASSERT(handle_->curl != nullptr); }
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpAnswer> HttpClient::send(HttpRequest request) {
  if (!request.headers.are_lines()) return fail(not_lines());
  CURL* curl = handle_->curl.get();
  curl_easy_reset(curl);  // keeps the connection
  HttpAnswer answer;
  Receiving receiving{&answer.body, request.answer_bytes_max};
  HeaderList headers;
  set_common(curl, request.url, request.method);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(request.timeout).count()));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.of(request.headers));
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiving);
  if (request.method != "GET" && request.method != "DELETE") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  }
  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  if (code == CURLE_OK) return answer;
  return fail(code_of(code), "no answer from " + request.url + ": " + curl_easy_strerror(code));
}

}  // namespace hookhost::http_client
