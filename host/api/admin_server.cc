#include "api/admin_server.h"

#include "api/arguments.h"
#include "api/metrics_page.h"
#include "base/diagnostics.h"

namespace hookhost::api {
namespace {

constexpr std::size_t kThreads = 2;
constexpr std::size_t kQueueMax = 256;
constexpr std::uint64_t kBodyBytesMax = 1 << 20;

std::string_view header(const http::RequestHead& head, std::string_view name) {
  const std::string* value = http::find_header(head, name);
  return value == nullptr ? std::string_view{} : std::string_view(*value);
}

}  // namespace

AdminServer::AdminServer(HostControl& host, AdminGuard guard) : host_(host), guard_(std::move(guard)), api_(host) {
  for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { work(); });
}

AdminServer::~AdminServer() {
  {
    const std::scoped_lock lock(mutex_);
    stops_ = true;
  }
  wakes_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

http::HeadVerdict AdminServer::on_head(const http::RequestHead& head) {
  const auto allowed = guard_.check({head.path(), header(head, "Host"), header(head, "Origin"), header(head, "Authorization")});
  if (!allowed) return http::HeadVerdict::refuse(http::error_response(allowed.error().code, allowed.error().message, head.request_id));
  return http::HeadVerdict::accept(kBodyBytesMax);
}

void AdminServer::on_request(http::Request&& request, std::shared_ptr<const void>, http::Responder responder) {
  if (request.head.path() == "/healthz" || request.head.path() == "/readyz") return responder.send(probe(request));
  auto task = [this, request = std::make_shared<http::Request>(std::move(request)),
               responder = std::make_shared<http::Responder>(std::move(responder))] { responder->send(answer(*request)); };
  {
    const std::scoped_lock lock(mutex_);
    if (queue_.size() < kQueueMax && !stops_) {
      queue_.push_back(std::move(task));
      wakes_.notify_one();
      return;
    }
  }
  diagnose(Level::warn, "api", "too many admin calls wait");  // the responder that goes with the task answers 500
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

http::Response AdminServer::answer(const http::Request& request) {
  const auto& head = request.head;
  try {
    if (head.path() == "/metrics") {
      MetricsPage page;
      host_.add_metrics(page);
      http::Response out;
      out.content_type = "text/plain; version=0.0.4; charset=utf-8";
      out.body = page.text();
      return out;
    }
    const auto path = url_decode(head.path());
    if (!path) return http::error_response(ErrorCode::invalid_request, "the path is not well-formed", head.request_id);
    auto answer = api_.handle({head.method, *path, std::string(head.query()), request.body});
    if (answer) return http::json_response(200, std::move(answer.value()));
    return http::error_response(answer.error().code, answer.error().message, head.request_id);
  } catch (const std::exception&) {
    diagnose(Level::error, "api", "an admin call failed", {{"request_id", head.request_id.value}});
    return http::error_response(ErrorCode::internal_error, "an internal error; look for the request id in the diagnostics", head.request_id);
  }
}

void AdminServer::work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wakes_.wait(lock, [&] { return stops_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace hookhost::api
