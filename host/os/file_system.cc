#include "os/file_system.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace hookhost::os {

Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t bytes_max) {
  HOOKHOST_TRY(auto file, files.open(path, OpenMode::read));
  HOOKHOST_TRY(const auto size, file->size());
  if (size > bytes_max) return fail(ErrorCode::usage, path + " has " + std::to_string(size) + " bytes; at most " + std::to_string(bytes_max) + " are read");
  std::string out(size, '\0');
  HOOKHOST_TRY(const auto got, file->read_at(0, out.data(), out.size()));
  out.resize(got);
  return out;
}

Result<> write_file_atomically(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  static_cast<void>(files.remove(temporary));  // what an earlier crash left
  HOOKHOST_TRY(auto file, files.open(temporary, OpenMode::create));
  HOOKHOST_CHECK(file->write_at(0, bytes));
  HOOKHOST_CHECK(file->sync());
  file.reset();
  HOOKHOST_CHECK(files.rename(temporary, path));
  return files.sync_directory(parent(path));
}

std::string join(std::string_view directory, std::string_view name) {
  std::string out(directory);
  if (!out.empty() && out.back() != '/') out += '/';
  return out.append(name);
}

std::string parent(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string file_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string absolute(std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  char here[PATH_MAX];
  return ::getcwd(here, sizeof here) == nullptr ? std::string(path) : join(here, path);
}

std::string seen_from(std::string_view directory, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  std::string base(directory);
  for (;;) {
    const auto slash = path.find('/');
    const std::string_view first = path.substr(0, slash);
    if (!first.empty() && first != "." && first != "..") return join(base, path);
    if (first == "..") base = parent(base);
    if (slash == std::string_view::npos) return base;
    path.remove_prefix(slash + 1);
  }
}

namespace {

// Of what a link names. nullopt: nothing is there. Error: what cannot be looked at, or a link to nothing.
Result<std::optional<mode_t>> mode_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0) return std::optional(facts.st_mode);
  if (errno != ENOENT && errno != ENOTDIR) return fail(ErrorCode::io_error, "cannot look at " + path + ": " + std::generic_category().message(errno));
  if (::lstat(path.c_str(), &facts) == 0) return fail(ErrorCode::io_error, path + " is a link to nothing; remove it, or make what it names");
  return std::optional<mode_t>{};
}

}  // namespace

Result<> check_is_directory(const std::string& path) {
  HOOKHOST_TRY(const auto mode, mode_of(path));
  if (!mode || S_ISDIR(*mode)) return success();
  return fail(ErrorCode::io_error, path + " is there, but no directory; move it away");
}

Result<> check_is_file(const std::string& path) {
  HOOKHOST_TRY(const auto mode, mode_of(path));
  if (!mode || S_ISREG(*mode)) return success();
  return fail(is_no_file(path));
}

Error is_no_file(const std::string& path) { return {ErrorCode::io_error, path + " is there, but no file; move it away"}; }

Result<> check_directory(const std::string& path) {
  for (std::string at = absolute(path);; at = parent(at)) {
    HOOKHOST_TRY(const auto mode, mode_of(at));
    if (!mode && at != "/") continue;
    HOOKHOST_CHECK(check_is_directory(at));
    if (::faccessat(AT_FDCWD, at.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return success();
    return fail(ErrorCode::permission, "no file can be made in " + at + ": " + std::generic_category().message(errno));
  }
}

Result<std::string> resolved(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) {
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io_error, "cannot resolve " + path + ": " + std::strerror(errno));
  }
  std::string out(real);
  std::free(real);
  return out;
}

Result<std::string> link_target(const std::string& path) {
  std::string out(4096, '\0');  // PATH_MAX: no target is longer
  const ssize_t size = ::readlink(path.c_str(), out.data(), out.size());
  if (size < 0) {
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io_error, "cannot read the link " + path + ": " + std::strerror(errno));
  }
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace hookhost::os
