// The endpoints of `hookhost forward`: they live in memory, for as long as the command asks for them.
//
// Threads: every function from every thread; begin(), end() and end_unwanted() block on the engine.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/endpoint_runner.h"

namespace hookhost::app {

struct Forward {
  std::string source;
  endpoints::Endpoint endpoint;
  WallTime created_at;
  MonotonicTime wanted_at{};  // when the command asked last
};

class Forwards {
 public:
  Forwards(EndpointRunner& runner, const Clock& clock) : runner_(runner), clock_(clock) {}

  // The answer is its id. Error: usage, for a URL that cannot be.
  [[nodiscard]] Result<std::string> begin(const std::string& source, const std::string& url, const delivery::StartAt& from);
  // It is still wanted. Error: not_found.
  [[nodiscard]] Result<> keep(const std::string& id);
  [[nodiscard]] Result<> end(const std::string& id);
  // Ends those whose command is gone without a word.
  void end_unwanted();

  [[nodiscard]] std::optional<Forward> find(const std::string& id) const;
  [[nodiscard]] std::vector<Forward> all() const;

  static constexpr std::string_view kPrefix = "forward_";

 private:
  EndpointRunner& runner_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Forward> all_;  // by id
};

}  // namespace hookhost::app
