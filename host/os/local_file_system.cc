#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "os/file_system.h"

namespace hookhost::os {
namespace {

auto system_error(const char* doing, const std::string& path) {
  const int error = errno;
  ErrorCode code = ErrorCode::io_error;
  if (error == ENOENT || error == ENOTDIR) code = ErrorCode::not_found;
  if (error == ENOSPC || error == EDQUOT) code = ErrorCode::no_space;
  if (error == EACCES || error == EPERM || error == EROFS) code = ErrorCode::permission;
  return fail(code, std::string("cannot ") + doing + ' ' + path + ": " + std::strerror(error));
}

class LocalFile final : public File {
 public:
  LocalFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~LocalFile() override { ::close(descriptor_); }

  Result<std::size_t> read_at(std::uint64_t position, char* into, std::size_t size) override {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got = ::pread(descriptor_, into + done, size - done, static_cast<off_t>(position + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return system_error("read", path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<> write_at(std::uint64_t position, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(position));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return system_error("write", path_);
      if (written == 0) return fail(ErrorCode::io_error, "cannot write " + path_ + ": nothing was written");
      position += static_cast<std::uint64_t>(written);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return success();
  }

  Result<> sync() override {
    if (::fdatasync(descriptor_) != 0) return system_error("sync", path_);
    return success();
  }

  Result<> truncate(std::uint64_t length) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(length)) != 0) return system_error("truncate", path_);
    return success();
  }

  Result<std::uint64_t> size() override {
    struct stat facts {};
    if (::fstat(descriptor_, &facts) != 0) return system_error("read the size of", path_);
    return static_cast<std::uint64_t>(facts.st_size);
  }

 private:
  std::string path_;
  int descriptor_;
};

class LocalFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const int flags = mode == OpenMode::read ? O_RDONLY : mode == OpenMode::read_write ? O_RDWR : O_RDWR | O_CREAT | O_EXCL;
    // O_NONBLOCK: a pipe would wait for its other end. Of a file it asks nothing.
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0600);
    if (descriptor < 0) {
      const int error = errno;
      if (error == EISDIR) return fail(is_no_file(path));
      if (error == ENOENT) HOOKHOST_CHECK(check_is_file(path));  // a link to nothing
      errno = error;
      return system_error(mode == OpenMode::create ? "create" : "open", path);
    }
    auto file = std::make_unique<LocalFile>(path, descriptor);
    struct stat facts {};
    if (::fstat(descriptor, &facts) != 0) return system_error("look at", path);
    if (!S_ISREG(facts.st_mode) && !S_ISCHR(facts.st_mode)) return fail(is_no_file(path));
    return std::unique_ptr<File>(std::move(file));
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", from);
    return success();
  }

  Result<> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_error("remove", path);
    return success();
  }

  Result<> sync_directory(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return system_error("open the directory", path);
    const int result = ::fsync(descriptor);
    const int error = errno;
    ::close(descriptor);
    errno = error;
    if (result != 0) return system_error("sync the directory", path);
    return success();
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return system_error("list", directory);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<> make_directories(const std::string& path) override {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const std::string part = path.substr(0, slash);
      if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) return system_error("make the directory", part);
      if (slash == std::string::npos) break;
    }
    return check_is_directory(path);
  }

  Result<std::uint64_t> free_bytes(const std::string& path) override {
    struct statvfs facts {};
    if (::statvfs(path.c_str(), &facts) != 0) return system_error("read the free space of", path);
    return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
  }

  Result<Facts> facts(const std::string& path) override {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return system_error("look at", path);
    return to_facts(found);
  }

 private:
  static Facts to_facts(const struct stat& found) {
    Facts out;
    out.kind = S_ISREG(found.st_mode)   ? Facts::Kind::file
               : S_ISDIR(found.st_mode) ? Facts::Kind::directory
               : S_ISLNK(found.st_mode) ? Facts::Kind::link
                                        : Facts::Kind::other;
    out.mode = found.st_mode & 07777;
    out.owner = found.st_uid;
    out.size = static_cast<std::uint64_t>(found.st_size);
    return out;
  }
};

}  // namespace

FileSystem& local_file_system() {
  static LocalFileSystem instance;
  return instance;
}

}  // namespace hookhost::os
