#include "api/methods.h"

namespace hookhost::api {

std::string_view method_of(const http::RequestHead& head) { return head.method == "HEAD" ? std::string_view("GET") : std::string_view(head.method); }

http::Response method_not_allowed(const std::vector<std::string_view>& methods, const RequestId& id) {
  std::string allowed;
  for (const std::string_view method : methods) allowed += (allowed.empty() ? "" : ", ") + std::string(method);
  auto response = http::error_response(ErrorCode::method_not_allowed, "send " + allowed, id);
  response.headers.push_back({"Allow", allowed});
  return response;
}

}  // namespace hookhost::api
