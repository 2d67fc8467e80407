// END: the durable end in 8 bytes, for readers beside a running host. Recovery does not trust it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "event_log/segment.h"
#include "os/file_system.h"

namespace hookhost::event_log {

// One writer; publish() does not sync.
class PublishedEnd {
 public:
  [[nodiscard]] static Result<std::unique_ptr<PublishedEnd>> create(os::FileSystem& files, const std::string& directory);
  [[nodiscard]] Result<> publish(Offset end);

 private:
  explicit PublishedEnd(std::unique_ptr<os::File> file) : file_(std::move(file)) {}
  std::unique_ptr<os::File> file_;
};

// Error: not_found when no host has ever published one.
[[nodiscard]] Result<Offset> read_published_end(os::FileSystem& files, const std::string& directory);

}  // namespace hookhost::event_log
