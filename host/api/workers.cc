#include "api/workers.h"

#include "base/diagnostics.h"

namespace hookhost::api {
namespace {

http::Response guarded(const Workers::Answer& answer, const http::Request& request) {
  std::string reason = "not a std::exception";
  try {
    return answer(request);
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
  }
  const RequestId& id = request.head.request_id;
  diagnose(Level::error, "api", "a call failed", {{"reason", reason}, {"request_id", id.value}});
  return http::failure_response(id);
}

}  // namespace

Workers::Workers(std::size_t threads, std::size_t queue_max) : queue_max_(queue_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Workers::~Workers() {
  {
    const std::scoped_lock lock(mutex_);
    stops_ = true;
  }
  wakes_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::post(http::Request request, http::Responder responder, Answer answer) {
  const RequestId id = request.head.request_id;
  {
    const std::scoped_lock lock(mutex_);
    if (queue_.size() < queue_max_) {
      queue_.push_back({std::move(request), std::move(responder), std::move(answer)});
      wakes_.notify_one();
      return;
    }
  }
  diagnose(Level::warn, "api", "too many calls wait", {{"request_id", id.value}});
  responder.send(http::error_response(ErrorCode::unavailable, "too many calls wait: send it again later", id));
}

void Workers::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    wakes_.wait(lock, [&] { return stops_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Waiting next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    next.responder.send(guarded(next.answer, next.request));
  }
}

}  // namespace hookhost::api
