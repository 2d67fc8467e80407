#include "api/admin_server.h"

#include <algorithm>

#include "api/methods.h"
#include "api/metrics_page.h"
#include "api/routes.h"
#include "base/diagnostics.h"

namespace hookhost::api {
namespace {

constexpr std::size_t kThreads = 2;
constexpr std::size_t kQueueMax = 256;
constexpr std::uint64_t kBodyBytesMax = 1 << 20;
constexpr std::string_view kDiskIsFull = "the disk of data_dir is full: free some space, then try again";

std::string_view header(const http::RequestHead& head, std::string_view name) {
  const std::string* value = http::find_header(head, name);
  return value == nullptr ? std::string_view{} : std::string_view(*value);
}

// What the path may be asked with; empty: there is no such path.
std::vector<std::string_view> methods_of(std::string_view path) {
  return is_open_path(path) ? std::vector<std::string_view>{"GET"} : AdminApi::methods_of(path);
}

}  // namespace

AdminServer::AdminServer(HostControl& host, AdminGuard guard) : host_(host), guard_(std::move(guard)), api_(host), workers_(kThreads, kQueueMax) {}

http::HeadVerdict AdminServer::on_head(const http::RequestHead& head) {
  const auto allowed = guard_.check({head.path(), header(head, "Host"), header(head, "Origin"), header(head, "Authorization")});
  if (!allowed) {
    auto response = http::error_response(allowed.error(), head.request_id);
    if (response.status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
    return http::HeadVerdict::refuse(std::move(response));
  }
  const auto methods = methods_of(head.path());
  if (methods.empty()) return http::HeadVerdict::refuse(http::error_response(no_such_route_error(), head.request_id));
  if (std::find(methods.begin(), methods.end(), method_of(head)) == methods.end()) {
    return http::HeadVerdict::refuse(method_not_allowed(methods, head.request_id));
  }
  return http::HeadVerdict::accept(kBodyBytesMax);
}

void AdminServer::on_request(http::Request&& request, std::shared_ptr<const void>, http::Responder responder) {
  if (request.head.path() == "/healthz" || request.head.path() == "/readyz") return responder.send(probe(request));
  workers_.post(std::move(request), std::move(responder), [this](const http::Request& waited) { return call(waited); });
}

http::Response AdminServer::probe(const http::Request& request) {
  if (request.head.path() == "/healthz") {
    return host_.alive() ? http::json_response(200, R"({"status":"ok"})")
                         : http::error_response(ErrorCode::unavailable, "a loop of the host does not turn", request.head.request_id);
  }
  const auto ready = host_.ready();
  return ready ? http::json_response(200, R"({"status":"ready"})")
               : http::error_response(ErrorCode::unavailable, ready.error().message, request.head.request_id);
}

http::Response AdminServer::metrics() {
  MetricsPage page;
  host_.add_metrics(page);
  http::Response out;
  out.content_type = "text/plain; version=0.0.4; charset=utf-8";
  out.body = page.text();
  return out;
}

http::Response AdminServer::call(const http::Request& request) {
  const auto& head = request.head;
  if (head.path() == "/metrics") return metrics();
  auto answer = api_.handle({std::string(method_of(head)), std::string(head.path()), std::string(head.query()), request.body});
  if (answer) return http::json_response(200, std::move(answer.value()));
  const Error& error = answer.error();
  diagnose(http_status(error.code) == 500 ? Level::error : Level::info, "api", "an admin call was refused: " + error.message,
           {{"reason", to_string(error.code)}, {"request_id", head.request_id.value}});
  // The operator's own listener: what can be done about it is no secret here.
  if (error.code == ErrorCode::no_space) return http::error_response(error.code, kDiskIsFull, head.request_id);
  return http::error_response(error, head.request_id);
}

}  // namespace hookhost::api
