// The admin listener's handler: the guard, the two probes at once on the reactor, everything else on a few threads of its own, because it
// may block.
#pragma once

#include "api/admin_api.h"
#include "api/admin_guard.h"
#include "api/workers.h"
#include "http/handler.h"

namespace hookhost::api {

class AdminServer final : public http::Handler {
 public:
  AdminServer(HostControl& host, AdminGuard guard);

  [[nodiscard]] http::HeadVerdict on_head(const http::RequestHead& head) override;
  void on_request(http::Request&& request, std::shared_ptr<const void> context, http::Responder responder) override;

 private:
  [[nodiscard]] http::Response call(const http::Request& request);
  [[nodiscard]] http::Response probe(const http::Request& request);
  [[nodiscard]] http::Response metrics();

  HostControl& host_;
  const AdminGuard guard_;
  AdminApi api_;
  Workers workers_;  // last: ends before what its calls use
};

}  // namespace hookhost::api
