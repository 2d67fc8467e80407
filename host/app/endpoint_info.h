// How an endpoint is shown.
#pragma once

#include <string>

#include "api/endpoint_control.h"
#include "app/endpoint_build.h"
#include "app/forwards.h"

namespace hookhost::app {

[[nodiscard]] api::EndpointInfo describe(const BuiltEndpoint& built, delivery::SubscriberStatus status);
[[nodiscard]] api::EndpointInfo describe(const config::Endpoint& said, const config::EndpointDefaults& defaults, delivery::SubscriberStatus status);
// Error: corrupt.
[[nodiscard]] Result<api::EndpointInfo> describe(const state::WebhookRow& row, const EndpointRules& rules, delivery::SubscriberStatus status);
[[nodiscard]] api::EndpointInfo describe(const Forward& forward, delivery::SubscriberStatus status);

}  // namespace hookhost::app
