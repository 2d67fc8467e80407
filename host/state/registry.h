// registry.db: what was registered through the host itself (endpoints, team keys), kept with synchronous=FULL. It is made at the first start;
// an event log whose registry has vanished must not be served as if nothing had ever been registered.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace hookhost::state {

class Registry {
 public:
  // Makes the file when `may_create`. Error: not_found when it is missing and may not be made; corrupt; io_error.
  [[nodiscard]] static Result<std::unique_ptr<Registry>> open(const std::string& path, bool may_create);
  ~Registry();
  [[nodiscard]] bool created() const { return created_; }

 private:
  struct Connection;
  Registry(std::unique_ptr<Connection> connection, bool created);
  std::unique_ptr<Connection> connection_;
  bool created_;
};

}  // namespace hookhost::state
