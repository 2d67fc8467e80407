// What the tests with programs of others share.
#pragma once

#include <sys/file.h>

#include <filesystem>

#include "support/host_process.h"

namespace hookhost::test {

// Several tests may install at once.
struct FolderLock {
  explicit FolderLock(const std::string& path) : descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) { ::flock(descriptor, LOCK_EX); }
  ~FolderLock() { ::close(descriptor); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  int descriptor;
};

// The absolute path of a program; empty: it is not in PATH.
inline std::string program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) return folder + "/" + name;
  }
  return "";
}

inline std::string interop_source(const std::string& name) { return std::string(INTEROP_SOURCE) + "/" + name; }

}  // namespace hookhost::test
