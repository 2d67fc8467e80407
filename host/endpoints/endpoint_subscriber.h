// An endpoint as the delivery engine sees it: each delivery is one request.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "delivery/subscriber.h"
#include "endpoints/endpoint.h"
#include "endpoints/open_requests.h"
#include "http_client/transfers.h"

namespace hookhost::endpoints {

// What all endpoints of a host share; it outlives them.
struct Sender {
  Sender(http_client::Transfers& carrier, std::string agent, const Clock& time, std::size_t requests_max = 1'024)
      : transfers(carrier), user_agent(std::move(agent)), clock(time), open(requests_max, time) {}

  http_client::Transfers& transfers;
  const std::string user_agent;
  const Clock& clock;
  OpenRequests open;
};

// Who shares what may be open: a team, or an endpoint of none.
[[nodiscard]] inline std::string party_of(const Endpoint& endpoint) { return endpoint.team ? "team " + *endpoint.team : endpoint.id.value; }

// Threads: as delivery::Subscriber asks. Requests run on the transfers' thread; nothing here blocks but stop(), which ends what still runs at
// its deadline.
[[nodiscard]] std::shared_ptr<delivery::Subscriber> make_subscriber(Endpoint endpoint, Sender& sender);

}  // namespace hookhost::endpoints
