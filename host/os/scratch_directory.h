// A directory of this process's own for as long as it lives: in $TMPDIR or /tmp, 0700, removed with all that is in it. What ends without its
// destructor leaves it behind.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace hookhost::os {

class ScratchDirectory {
 public:
  // `name`: what its name begins with. Error: no_space, permission, io_error.
  [[nodiscard]] static Result<ScratchDirectory> make(const std::string& name);
  ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ~ScratchDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace hookhost::os
