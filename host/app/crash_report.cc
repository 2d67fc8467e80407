#include "app/crash_report.h"

#include "base/diagnostics.h"

namespace hookhost::app {

Result<> count_crash(const plugins::Crash& crash, delivery::Engine& engine) {
  if (crash.instance.empty()) {
    diagnose(Level::error, "app",
             "the last run ended by " + crash.cause +
                 " on a thread that was in no plugin's call: a thread of a plugin's own (deferred work), or hookhost itself. No event can be "
                 "blamed; should it come again, disable one plugin after the other");
    return success();
  }
  const std::string inside = "the last run ended inside plugin " + crash.instance;
  if (!crash.has_event) {
    diagnose(Level::error, "app", inside + ", in " + crash.doing + " (" + crash.cause + "); no event can be blamed", {{"subscriber", crash.instance}});
    return success();
  }
  state::CrashRow row;
  row.stream = crash.stream;
  row.offset = crash.offset;
  row.attempt = crash.attempt.value;
  row.crashes = crash.crashes + 1;
  row.cause = "the attempt ended the host: " + crash.cause;
  row.at = crash.at;
  row.life = crash.life;
  const auto counted = engine.count_crash(SubscriberId{crash.instance}, row);
  if (!counted && counted.error().code != ErrorCode::not_found) return fail(counted.error());
  std::string line = inside + ", event " + std::to_string(crash.offset.value) + " (" + crash.cause + ")";
  if (!counted) {
    line += "; there is no such subscriber any more";
  } else {
    line += ", crash " + std::to_string(counted.value()) + " of " + std::to_string(delivery::kCrashesMax);
    if (counted.value() >= delivery::kCrashesMax) line += ": the event becomes a dead letter";
  }
  diagnose(Level::error, "app", line, {{"subscriber", crash.instance}, {"offset", crash.offset.value}});
  return success();
}

}  // namespace hookhost::app
