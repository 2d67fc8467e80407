// Which teams there are: those that stand under `teams`. Where none are configured every name is one, but for those that were taken out while
// others stood there: what an edit has closed, the removal of more lines does not open.
#pragma once

#include <map>
#include <set>
#include <string>

#include "config/config.h"

namespace hookhost::app {

struct KnownTeams {
  std::map<std::string, config::Team> named;
  std::set<std::string> taken_out;  // until they are named again

  [[nodiscard]] bool has(const std::string& team) const { return named.empty() ? !taken_out.contains(team) : named.contains(team); }
};

}  // namespace hookhost::app
