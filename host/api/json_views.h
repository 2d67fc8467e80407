// How the admin API writes what the rooms below know. The members are those of DESIGN.md 6.2; `--json` prints them unchanged.
#pragma once

#include <boost/json/fwd.hpp>

#include "api/endpoint_control.h"
#include "api/host_control.h"

namespace hookhost::api {

[[nodiscard]] boost::json::object view(const delivery::SubscriberStatus& status);
[[nodiscard]] boost::json::object view(const delivery::DeliveryStatus& status);
[[nodiscard]] boost::json::object view(const delivery::ReplayPlan& plan);
[[nodiscard]] boost::json::object view(const delivery::ReplayProgress& progress);
[[nodiscard]] boost::json::object view(const SubscriberId& subscriber, const state::ParkedRow& row);
[[nodiscard]] boost::json::object view(const PluginInfo& plugin);
[[nodiscard]] boost::json::object view(const SourceInfo& source);
[[nodiscard]] boost::json::object view(const ReloadReport& report);
[[nodiscard]] boost::json::object view(const EndpointInfo& endpoint);
[[nodiscard]] boost::json::object view(const KeyInfo& key);
[[nodiscard]] boost::json::object view(const state::AttemptRow& attempt);

}  // namespace hookhost::api
