// What a receiver's answer means for a delivery.
#pragma once

#include "delivery/subscriber.h"
#include "http_client/transfers.h"

namespace hookhost::endpoints {

// | answer                                    | outcome                                                    |
// |-------------------------------------------|------------------------------------------------------------|
// | 2xx                                       | ok                                                         |
// | 410                                       | gone: given up, the endpoint is disabled                   |
// | 429, 503 with Retry-After                 | retry, not before it says; an hour at most                 |
// | everything else, 3xx among it             | retry as scheduled                                         |
// | none: name, connect, TLS, reset, timeout  | retry as scheduled                                         |
// Retry-After is a number of seconds or a date (RFC 9110, 10.2.3); one that has passed is no wait.
[[nodiscard]] delivery::Outcome outcome_of(const Result<http_client::TransferAnswer>& answer, WallTime now);

// Of a request that was not made, because as many are open as may be (open_requests.h): no fault of the receiver's, and no attempt is used up.
[[nodiscard]] delivery::Outcome no_room();

}  // namespace hookhost::endpoints
