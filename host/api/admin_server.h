// The admin listener's handler: the guard, the two probes at once on the reactor, everything else on a few threads of its own, because it
// may block.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "api/admin_api.h"
#include "api/admin_guard.h"
#include "http/handler.h"

namespace hookhost::api {

class AdminServer final : public http::Handler {
 public:
  AdminServer(HostControl& host, AdminGuard guard);
  ~AdminServer() override;

  [[nodiscard]] http::HeadVerdict on_head(const http::RequestHead& head) override;
  void on_request(http::Request&& request, std::shared_ptr<const void> context, http::Responder responder) override;

 private:
  using Waiting = std::pair<http::Request, http::Responder>;

  [[nodiscard]] http::Response answer(const http::Request& request);
  [[nodiscard]] http::Response call(const http::Request& request);
  [[nodiscard]] http::Response probe(const http::Request& request);
  [[nodiscard]] http::Response metrics();
  void work();

  HostControl& host_;
  const AdminGuard guard_;
  AdminApi api_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::deque<Waiting> queue_;
  bool stops_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hookhost::api
