// A delivery as an HTTP request.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "delivery/subscriber.h"
#include "endpoints/endpoint.h"
#include "http_client/transfers.h"

namespace hookhost::endpoints {

// What is delivered, and how often it was tried.
struct Sending {
  event_log::EventPtr event;
  Attempt attempt;
  bool replay = false;
  bool test = false;
};

// Where the requests of an endpoint go, and what that may be. `group`: as http_client::Route.
[[nodiscard]] std::shared_ptr<const http_client::Route> route_of(const Endpoint& endpoint, std::uint64_t group);

// A POST of the event's own bytes. Beside what Signing says it carries Content-Type, User-Agent, the endpoint's own headers, and
//   Hookhost-Type, Hookhost-Source   the event's type and source; what no header may carry (control characters, a space at either end) as %XX.
//                                    A percent sign stays as it is: to tell them apart look into the body
//   Hookhost-Attempt                 from 1; http_client may send a request again under its number when a kept connection dies with it
//   Hookhost-Replay: true            part of a replay
//   Hookhost-Test: true              asked for by a person; no event of the event log
// webhook-id is the event's id, the same over all attempts and replays; webhook-timestamp is the attempt's. While two secrets are valid,
// webhook-signature holds one signature for each, X-Kakiyo-Signature that of the newest and X-Kakiyo-Signature-Previous the other's.
// Without its route, its listener and its id.
[[nodiscard]] http_client::Transfer make_request(const Endpoint& endpoint, const Sending& sending, std::string_view user_agent, WallTime now);

// Whether an endpoint may not set this header itself: one of the above, or one that is the connection's business.
[[nodiscard]] bool is_own_header(std::string_view name);

}  // namespace hookhost::endpoints
