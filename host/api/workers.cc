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
  const std::string nobody_else = request.head.request_id.value;
  post(nobody_else, std::move(request), std::move(responder), std::move(answer));
}

void Workers::post(const std::string& owner, http::Request request, http::Responder responder, Answer answer) {
  const RequestId id = request.head.request_id;
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_ < queue_max_) {
      Line& line = lines_[owner];
      line.calls.push_back({std::move(request), std::move(responder), std::move(answer)});
      ++waiting_;
      if (line.runs || line.calls.size() > 1) return;  // its turn comes
      turns_.push_back(owner);
      wakes_.notify_one();
      return;
    }
  }
  diagnose(Level::warn, "api", "too many calls wait", {{"request_id", id.value}});
  responder.send(http::error_response(ErrorCode::unavailable, "too many calls wait: send it again later", id));
}

std::size_t Workers::waiting(const std::string& owner) const {
  const std::scoped_lock lock(mutex_);
  const auto found = lines_.find(owner);
  return found == lines_.end() ? 0 : found->second.calls.size();
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wakes_.wait(lock, [&] { return stops_ || !turns_.empty(); });
    if (turns_.empty()) return;  // what still waits stands behind a call that another thread carries out
    const auto line = lines_.find(turns_.front());
    turns_.pop_front();
    line->second.runs = true;
    --waiting_;
    {
      Waiting next = std::move(line->second.calls.front());
      line->second.calls.pop_front();
      lock.unlock();
      next.responder.send(guarded(next.answer, next.request));
    }
    lock.lock();
    line->second.runs = false;
    if (line->second.calls.empty()) {
      lines_.erase(line);
    } else {
      turns_.push_back(line->first);
      wakes_.notify_one();
    }
  }
}

}  // namespace hookhost::api
