#include "ingest/refusal_reporter.h"

#include "base/diagnostics.h"

namespace hookhost::ingest {

void RefusalReporter::report(std::string_view source, ErrorCode code, std::string_view why, std::string_view request_id) {
  std::uint64_t left_out = 0;
  {
    const std::scoped_lock lock(mutex_);
    const auto now = clock_.monotonic();
    const auto [said, first] = said_.try_emplace({std::string(source), code}, Said{now, 0});
    if (!first && now - said->second.at < std::chrono::minutes{1}) {
      ++said->second.left_out;
      return;
    }
    left_out = std::exchange(said->second.left_out, 0);
    said->second.at = now;
  }
  diagnose(Level::warn, "ingest", "a webhook was refused: " + std::string(why),
           {{"source", source}, {"reason", to_string(code)}, {"request_id", request_id}, {"left_out", left_out}});
}

}  // namespace hookhost::ingest
