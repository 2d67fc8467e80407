// registry.db: what was registered through the host itself (endpoints, team keys), kept with synchronous=FULL. It is made at the first start;
// an event log whose registry has vanished must not be served as if nothing had ever been registered.
//
// Threads: opening blocks on the disk (it syncs a new file and its name). The object may be moved between threads, not shared by them.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace hookhost::state {

class Registry {
 public:
  // `may_create`: the event log is empty, or the operator said `serve --new-registry`. Error: not_found when it is missing and may not be
  // made (the message names the way out); corrupt; not_supported for a newer hookhost's file; permission; busy; io_error.
  [[nodiscard]] static Result<std::unique_ptr<Registry>> open(const std::string& path, bool may_create);
  ~Registry();
  // This call made it.
  [[nodiscard]] bool created() const { return created_; }

 private:
  struct Connection;
  Registry(std::unique_ptr<Connection> connection, bool created);
  std::unique_ptr<Connection> connection_;
  bool created_;
};

}  // namespace hookhost::state
