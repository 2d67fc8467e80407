// What a registered endpoint says of itself beside its URL, events and secrets: the settings column of registry.db. A member that is absent is
// not said.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hookhost::app {

struct WebhookSettings {
  std::optional<std::string> signing, profile;
  std::optional<std::vector<Duration>> retry;
  std::optional<Duration> timeout;
  std::optional<std::uint32_t> concurrency;
  std::optional<double> rate;
  std::optional<std::map<std::string, std::string>> headers;
  std::optional<std::uint64_t> begins_at;  // the offset of the first event that it was asked for
  friend bool operator==(const WebhookSettings&, const WebhookSettings&) = default;
};

[[nodiscard]] std::string to_json(const WebhookSettings& settings);
// Error: corrupt. Members that a newer hookhost wrote are passed over.
[[nodiscard]] Result<WebhookSettings> parse_webhook_settings(const std::string& text);

}  // namespace hookhost::app
