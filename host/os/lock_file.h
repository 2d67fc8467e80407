// One process at a time: an advisory lock (flock) on a file, held until the object goes or the process ends. Its holder may say in the file how
// to reach it; what stands there counts only while the lock is held, so a process that was killed leaves nothing that misleads.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace hookhost::os {

class LockFile {
 public:
  // Makes the file when it is missing. Error: busy when another process still holds it after `patience`; blocks as long.
  [[nodiscard]] static Result<LockFile> acquire(const std::string& path, Duration patience);
  // What the process that holds it has said; empty: nothing yet. nullopt: nobody holds it, or there is no such file. Error: io_error.
  [[nodiscard]] static Result<std::optional<std::string>> word_of_holder(const std::string& path);
  LockFile(LockFile&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

  // One line, in place of the one before. Error: io_error.
  [[nodiscard]] Result<> say(std::string_view word);

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace hookhost::os
