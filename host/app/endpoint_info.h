// How an endpoint is shown.
#pragma once

#include <string>
#include <string_view>

#include "api/endpoint_control.h"
#include "app/endpoint_build.h"
#include "app/forwards.h"

namespace hookhost::app {

// Why the engine has paused one: its owner's switch, the operator's.
inline constexpr std::string_view kSwitchedOff = "switched off by its owner";
inline constexpr std::string_view kPaused = "paused by the operator";

// Why nothing is sent to one now and what its owner can do about it. Empty: it is sent to.
[[nodiscard]] std::string standstill(const api::EndpointInfo& endpoint);

[[nodiscard]] api::EndpointInfo describe(const BuiltEndpoint& built, delivery::SubscriberStatus status);
[[nodiscard]] api::EndpointInfo describe(const config::Endpoint& said, const config::EndpointDefaults& defaults, delivery::SubscriberStatus status);
// Error: corrupt.
[[nodiscard]] Result<api::EndpointInfo> describe(const state::WebhookRow& row, const EndpointRules& rules, delivery::SubscriberStatus status);
[[nodiscard]] api::EndpointInfo describe(const Forward& forward, delivery::SubscriberStatus status);

}  // namespace hookhost::app
