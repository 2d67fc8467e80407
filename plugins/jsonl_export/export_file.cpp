#include "export_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jsonl_export {

FileError::FileError(const std::string& what, int error)
    : std::runtime_error(what), unavailable(error == ENOSPC || error == EDQUOT || error == EFBIG || error == EMFILE || error == ENFILE) {}

ExportFile::ExportFile(std::string path) : path_(std::move(path)) { open(); }

ExportFile::~ExportFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ExportFile::open() {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) fail("opening");
  struct stat facts {};
  if (::fstat(descriptor_, &facts) != 0) fail("reading the length of");
  length_ = static_cast<std::uint64_t>(facts.st_size);
  sync_directory();
}

void ExportFile::cut_back(std::uint64_t length) {
  if (length_ < length) {
    throw FileError(path_ + " has " + std::to_string(length_) + " bytes, but " + std::to_string(length) +
                        " were committed: lines were removed by someone else; move the file away and rebuild it with `hookhost replay --reset`",
                    0);
  }
  if (length_ == length) return;
  if (::ftruncate(descriptor_, static_cast<off_t>(length)) != 0) fail("cutting back");
  length_ = length;
  sync();
}

void ExportFile::append(std::string_view bytes) {
  cut_overhang();
  std::uint64_t end = length_;
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(end));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      has_overhang_ = end > length_ && ::ftruncate(descriptor_, static_cast<off_t>(length_)) != 0;
      errno = error;
      fail("writing");
    }
    end += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  length_ = end;
}

void ExportFile::cut_overhang() {
  if (!has_overhang_) return;
  if (::ftruncate(descriptor_, static_cast<off_t>(length_)) != 0) fail("cutting back");
  has_overhang_ = false;
}

void ExportFile::sync() {
  cut_overhang();
  if (::fdatasync(descriptor_) != 0) fail("syncing");
}

void ExportFile::sync_directory() {
  const auto slash = path_.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash);
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail("opening the directory of");
  const int result = ::fsync(descriptor);
  ::close(descriptor);
  if (result != 0) fail("syncing the directory of");
}

void ExportFile::fail(const char* doing) const {
  const int error = errno;
  throw FileError(std::string(doing) + ' ' + path_ + " failed: " + std::strerror(error), error);
}

}  // namespace jsonl_export
