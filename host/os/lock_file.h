// One process at a time: an advisory lock (flock) on a file, held until the object goes or the process ends.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace hookhost::os {

class LockFile {
 public:
  // Makes the file when it is missing. Error: busy when another process still holds it after `patience`; blocks as long.
  [[nodiscard]] static Result<LockFile> acquire(const std::string& path, Duration patience);
  LockFile(LockFile&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace hookhost::os
