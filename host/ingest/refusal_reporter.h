// Explains refusals to the operator: per source and reason at most once a minute, with the number that was left out.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace hookhost::ingest {

class RefusalReporter {
 public:
  explicit RefusalReporter(const Clock& clock) : clock_(clock) {}
  // Threads: from every thread.
  void report(std::string_view source, ErrorCode code, std::string_view why, std::string_view request_id);

 private:
  struct Said {
    MonotonicTime at;
    std::uint64_t left_out = 0;
  };
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::pair<std::string, ErrorCode>, Said> said_;
};

}  // namespace hookhost::ingest
