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

// What became of an attempt to have what a test needs. Absent: the machine has no such program, or is offline; the test is skipped. Broken: it
// could be had and cannot be used, which is a failure like any other.
struct Provided {
  enum class Kind : std::uint8_t { there, absent, broken } kind = Kind::there;
  std::string why;
};

// A package manager failed: what it printed tells whether the registry was out of reach.
inline Provided failed_install(const std::string& command, const std::string& printed) {
  for (const char* word : {"code ENOTFOUND", "code EAI_AGAIN", "code ECONNREFUSED", "code ECONNRESET", "code ETIMEDOUT", "code ENETUNREACH", "code EHOSTUNREACH",
                           "code ERR_SOCKET_TIMEOUT", "code E502", "code E503", "code E504",                                          // npm
                           "NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "NameResolutionError", "ProxyError"}) {  // pip
    if (printed.find(word) != std::string::npos) return {Provided::Kind::absent, command + ": the registry cannot be reached: " + printed};
  }
  return {Provided::Kind::broken, command + " failed, and not because the machine is offline: " + printed};
}

inline std::string interop_source(const std::string& name) { return std::string(INTEROP_SOURCE) + "/" + name; }

}  // namespace hookhost::test
