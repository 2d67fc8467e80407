// registry.db: what was registered through the host itself (endpoints, team keys), kept with synchronous=FULL. It is made at the first start;
// an event log whose registry has vanished must not be served as if nothing had ever been registered.
//
// Threads: every function may be called from every thread. All of them block on the disk; what changes something has synced it when it returns.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hookhost::state {

// An endpoint that was made through /v1 or by a command.
struct WebhookRow {
  std::string id;
  std::optional<std::string> team;
  std::string origin;  // v1, command
  std::string name;
  std::string url;
  std::string secret;           // empty: none
  std::string previous_secret;  // signs too until `previous_until`; empty: none
  std::optional<WallTime> previous_until;
  std::vector<std::string> events;  // patterns
  std::string settings = "{}";      // what else it says of itself: JSON of the composition root
  bool active = true;               // its owner's wish
  WallTime created_at, changed_at;
};

// A team's key, as far as the host knows it.
struct TeamKeyRow {
  std::string id;
  std::string team;
  std::string label;
  std::string hash;  // SHA-256, 32 bytes
  WallTime created_at;
  std::optional<WallTime> revoked_at;
};

class Registry {
 public:
  // `may_create`: the event log is empty, or the operator said `serve --new-registry`. Error: not_found when it is missing and may not be
  // made (the message names the way out); corrupt; not_supported for a newer hookhost's file; permission; busy; io_error.
  [[nodiscard]] static Result<std::unique_ptr<Registry>> open(const std::string& path, bool may_create);
  // The teams of webhooks and of keys that are not revoked, by name, and those that were taken out. Also beside a running host, but not in its
  // process. Where no host was killed or runs, nothing is made beside the file. Error: not_found, as open().
  struct Teams {
    std::set<std::string> all, taken_out;
  };
  [[nodiscard]] static Result<Teams> teams_in(const std::string& path);
  ~Registry();
  // This call made it.
  [[nodiscard]] bool created() const { return created_; }

  // Put: made, or replaced by its id. Erase: nothing happens when there is none. List: by id.
  [[nodiscard]] Result<> put(const WebhookRow& row);
  [[nodiscard]] Result<> erase_webhook(const std::string& id);
  [[nodiscard]] Result<std::vector<WebhookRow>> webhooks();
  [[nodiscard]] Result<> put(const TeamKeyRow& row);
  [[nodiscard]] Result<> erase_team_key(const std::string& id);
  [[nodiscard]] Result<std::vector<TeamKeyRow>> team_keys();
  // The teams that were taken out of the configuration while others stood there. Put: these and no others, from now on.
  [[nodiscard]] Result<> put_taken_out(const std::set<std::string>& teams);
  [[nodiscard]] Result<std::set<std::string>> taken_out();

 private:
  struct Connection;
  Registry(std::unique_ptr<Connection> connection, bool created);
  [[nodiscard]] Result<> erase(std::string_view sql, const std::string& id);

  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
  bool created_;
};

}  // namespace hookhost::state
