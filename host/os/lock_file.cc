#include "os/lock_file.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

#include "os/file_system.h"

namespace hookhost::os {
namespace {

constexpr std::chrono::milliseconds kLookAgain{20};
constexpr std::size_t kWordMax = 256;

auto io_error(const std::string& what) { return fail(ErrorCode::io_error, what + ": " + std::strerror(errno)); }

}  // namespace

Result<LockFile> LockFile::acquire(const std::string& path, Duration patience) {
  HOOKHOST_CHECK(check_is_file(path));
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return io_error("cannot open " + path);
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
  LockFile held(descriptor);
  if (::ftruncate(descriptor, 0) != 0) return io_error("cannot clear " + path);  // the word of one that was killed
  return held;
}

Result<std::optional<std::string>> LockFile::word_of_holder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return std::optional<std::string>{};
  if (descriptor < 0) return io_error("cannot open " + path);
  const LockFile closes(descriptor);
  if (::flock(descriptor, LOCK_SH | LOCK_NB) == 0) return std::optional<std::string>{};
  if (errno != EWOULDBLOCK) return io_error("cannot look at the lock of " + path);
  char word[kWordMax];
  const ssize_t size = ::pread(descriptor, word, sizeof word, 0);
  if (size < 0) return io_error("cannot read " + path);
  const std::string_view text(word, static_cast<std::size_t>(size));
  const auto end = text.find('\n');
  return std::optional<std::string>(end == std::string_view::npos ? std::string_view{} : text.substr(0, end));
}

Result<> LockFile::say(std::string_view word) {
  const std::string line = std::string(word) + '\n';
  HOOKHOST_ASSERT(line.size() <= kWordMax);
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
    return io_error("cannot write into the lock file");
  }
  return success();
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace hookhost::os
