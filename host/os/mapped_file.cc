#include "os/mapped_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace hookhost::os {
namespace {

auto failed(const char* operation, const std::string& path, int error) {
  const auto code = error == ENOSPC || error == EDQUOT ? ErrorCode::no_space : error == EACCES || error == EPERM ? ErrorCode::permission : ErrorCode::io_error;
  return fail(code, std::string(operation) + " " + path + ": " + std::strerror(error));
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path, std::size_t size) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return failed("cannot open", path, errno);
  const int allocated = ::posix_fallocate(descriptor, 0, static_cast<off_t>(size));
  void* memory = allocated == 0 ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) : MAP_FAILED;
  const int error = allocated == 0 ? errno : allocated;
  ::close(descriptor);
  if (memory == MAP_FAILED) return failed("cannot map", path, error);
  return MappedFile(memory, size);
}

MappedFile::~MappedFile() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
}

}  // namespace hookhost::os
