// One source as ingest uses it: the configuration's words made ready, and its counters.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "config/config.h"
#include "ingest/duplicates.h"
#include "signing/verify.h"

namespace hookhost::ingest {

struct SourceCounters {
  Counter accepted{0};
  Counter duplicates{0};
  // Refusals by reason, in the order of kRefusalReasons.
  std::array<Counter, 8> refused{};
};
inline constexpr std::array<std::string_view, 8> kRefusalReasons{"missing_signature", "malformed_signature", "invalid_signature", "stale_timestamp",
                                                                 "team_mismatch",     "invalid_request",     "unavailable",       "other"};

// Shared between configurations of one name, so that a reload keeps counts and the duplicates window.
struct SourceState {
  explicit SourceState(DuplicatesOptions options) : duplicates(options) {}
  SourceCounters counters;
  DuplicatesWindow duplicates;
};

struct Source {
  config::Source settings;
  signing::SchemeOptions scheme;
  std::vector<signing::Secret> secrets;
  std::shared_ptr<SourceState> state;
};

}  // namespace hookhost::ingest
