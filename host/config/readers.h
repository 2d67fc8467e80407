// Values that several sections of the configuration hold. Each reads its key, reports what is wrong with it and goes on. Private to the room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/sections.h"

namespace hookhost::config {

// What nobody means. Together with today's date they stay far from the end of what a time holds.
inline constexpr Duration kTimeoutMax = 24h;
inline constexpr Duration kDelayMax = 31 * 24h;  // of a retry
inline constexpr Duration kWindowMax = 365 * 24h;
inline constexpr Duration kAgeMax = 100 * 365 * 24h;
inline constexpr std::uint64_t kDiskBytesMax = 1'024 * 1'024_GiB;

// "${NAME}", "${NAME:-default}", {file: PATH}, or the text itself. Empty when it is not wanted or cannot be resolved (a problem then).
[[nodiscard]] SecretText read_secret(const YAML::Node& node, const std::string& path, bool wanted, const Reading& reading);
// `secrets`: a list of those, or of {value, until}. `path` and `pattern` are the section's.
[[nodiscard]] std::vector<SecretWithEnd> read_secrets(Section& section, const std::string& path, const std::string& pattern, bool wanted,
                                                      const Reading& reading);
void read_patterns(Section& section, std::vector<Pattern>& out);                   // events
[[nodiscard]] std::optional<std::vector<Duration>> read_retry(Section& section);   // nothing when the key is absent
void read_start_at(Section& section, When& out);
void read_order_by(Section& section, std::string& out);

[[nodiscard]] const std::vector<Duration>& schedule_days();

}  // namespace hookhost::config
