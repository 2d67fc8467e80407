#include "os/scratch_directory.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "os/file_system.h"

namespace hookhost::os {

Result<ScratchDirectory> ScratchDirectory::make(const std::string& name) {
  const char* const wanted = std::getenv("TMPDIR");
  std::string path = join(wanted == nullptr || *wanted == '\0' ? "/tmp" : wanted, name + ".XXXXXX");
  if (::mkdtemp(path.data()) != nullptr) return ScratchDirectory(std::move(path));
  const int error = errno;
  const auto code = error == ENOSPC || error == EDQUOT ? ErrorCode::no_space : error == EACCES || error == EPERM ? ErrorCode::permission : ErrorCode::io_error;
  return fail(code, "cannot make a directory " + path + ": " + std::strerror(error) + "; set TMPDIR to a directory that can be written");
}

ScratchDirectory::~ScratchDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace hookhost::os
