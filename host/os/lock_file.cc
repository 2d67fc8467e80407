#include "os/lock_file.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

namespace hookhost::os {
namespace {

constexpr std::chrono::milliseconds kLookAgain{20};

}  // namespace

Result<LockFile> LockFile::acquire(const std::string& path, Duration patience) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(ErrorCode::io_error, "cannot open " + path + ": " + std::strerror(errno));
  const auto end = std::chrono::steady_clock::now() + patience;
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(kLookAgain);
      continue;
    }
    const int error = errno;
    ::close(descriptor);
    if (error == EWOULDBLOCK) return fail(ErrorCode::busy, "another hookhost uses this data directory (" + path + " is locked); stop it first");
    return fail(ErrorCode::io_error, "cannot lock " + path + ": " + std::strerror(error));
  }
  return LockFile(descriptor);
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace hookhost::os
