// What the admin API and the metrics page need of the host they speak for. The composition root (app) implements it, for a running host and
// for a command that has the data directory to itself.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "delivery/engine.h"
#include "event_log/event_log.h"
#include "state/delivery_store.h"

namespace hookhost::api {

class EndpointControl;
class MetricsPage;

struct ReloadReport {
  std::vector<std::string> changes;        // for people, one a line
  std::vector<std::string> needs_restart;  // changed keys that only a restart applies
  std::vector<std::string> failed;         // what does not run as the configuration says, and why, one a line
  bool applied = false;
};

struct PluginInfo {
  std::string name;
  std::string library;  // the file's name, without its directory
  std::string id, version, description, sha256;
  std::string state;  // loaded, degraded, disabled, failed
  std::string error;  // why it is degraded (its configuration was refused and an old one goes on; or it says that it is not well) or failed
  std::vector<std::string> events;
};

struct SourceInfo {
  std::string name, path, scheme, provider, team;
  std::uint64_t accepted = 0, duplicates = 0, refused = 0;
};

// Threads: every function may be called from every thread.
class HostControl {
 public:
  virtual ~HostControl() = default;
  [[nodiscard]] virtual delivery::Engine& engine() = 0;
  [[nodiscard]] virtual delivery::EventFeed& feed() = 0;
  [[nodiscard]] virtual state::DeliveryStore& store() = 0;
  [[nodiscard]] virtual const event_log::EventLog& event_log() = 0;
  [[nodiscard]] virtual EndpointControl& endpoints() = 0;
  [[nodiscard]] virtual std::vector<PluginInfo> plugins() = 0;
  [[nodiscard]] virtual std::vector<SourceInfo> sources() = 0;
  // Deletes every trace of one that is no longer configured. Error: not_found; refused while it is.
  [[nodiscard]] virtual Result<> forget(const SubscriberId& subscriber) = 0;
  // Waits for the starts that it brings about. Error: invalid_config, with file:line:column; nothing is changed then.
  [[nodiscard]] virtual Result<ReloadReport> reload(bool dry_run) = 0;
  // Every loop turns. Does not block.
  [[nodiscard]] virtual bool alive() = 0;
  // Would accept an event now; the error says why not.
  [[nodiscard]] virtual Result<> ready() = 0;
  // Adds what only the composition root can count.
  virtual void add_metrics(MetricsPage& page) = 0;
};

}  // namespace hookhost::api
