// Files and directories behind an interface that tests can fault. Nothing else in the host opens, writes, syncs or renames.
//
// What a caller may rely on after a crash is what it synced: file contents by File::sync(), names by FileSystem::sync_directory().
// Errors: not_found, no_space, permission, io_error; the message names the operation and the path.
// Threads: a FileSystem may be used from every thread; a File from one thread at a time, but read_at() from several. All calls may block.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hookhost::os {

class File {
 public:
  virtual ~File() = default;  // closes; an error then is lost, so sync first
  // Reads up to `size` bytes at `position`; fewer only at the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t position, char* into, std::size_t size) = 0;
  // Writes all of it or fails; after an error an unknown part was written.
  [[nodiscard]] virtual Result<> write_at(std::uint64_t position, std::string_view bytes) = 0;
  // fdatasync: contents and length are on the disk. After an error the file's pending bytes may be gone: never try again on this file.
  [[nodiscard]] virtual Result<> sync() = 0;
  [[nodiscard]] virtual Result<> truncate(std::uint64_t length) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
};

enum class OpenMode : std::uint8_t {
  read,        // must exist
  read_write,  // must exist
  create,      // must not exist
};

// Facts of one path, of the link itself where it is one.
struct Facts {
  enum class Kind : std::uint8_t { file, directory, link, other } kind = Kind::other;
  std::uint32_t mode = 0;  // permission bits and the sticky bit, 07777
  std::uint32_t owner = 0;
  std::uint64_t size = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Made with 0600. A directory, a pipe, which would wait for its other end, and a link to nothing are refused as check_is_file() does.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  [[nodiscard]] virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Result<> remove(const std::string& path) = 0;
  [[nodiscard]] virtual Result<> sync_directory(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;  // names, sorted
  [[nodiscard]] virtual Result<> make_directories(const std::string& path) = 0;                   // 0700, parents too; fine when there
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
  [[nodiscard]] virtual Result<Facts> facts(const std::string& path) = 0;
};

// The machine's own. One instance serves everybody.
[[nodiscard]] FileSystem& local_file_system();

// The whole file. Error: usage when it is longer than `bytes_max`.
[[nodiscard]] Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t bytes_max);
// Either the old contents or the new ones survive a crash: a temporary file, sync, rename, directory sync.
[[nodiscard]] Result<> write_file_atomically(FileSystem& files, const std::string& path, std::string_view bytes);

[[nodiscard]] std::string join(std::string_view directory, std::string_view name);
[[nodiscard]] std::string parent(std::string_view path);     // "." when there is none
[[nodiscard]] std::string file_name(std::string_view path);  // after the last slash
[[nodiscard]] std::string absolute(std::string_view path);   // against the working directory; not resolved
[[nodiscard]] Result<std::string> link_target(const std::string& path);  // as it stands in the link: may be relative
// `path` seen from `directory`, without the ./ and ../ it begins with. `directory` is resolved: a parent of it is the one its name says.
[[nodiscard]] std::string seen_from(std::string_view directory, std::string_view path);
[[nodiscard]] Result<std::string> resolved(const std::string& path);  // realpath
// Whether this process may make files in that directory, or make it; nothing is made. The error names what is in the way.
[[nodiscard]] Result<> check_directory(const std::string& path);
// Whether what is there, if anything, is a directory, or a file. A link is what it names. The error says what to do.
[[nodiscard]] Result<> check_is_directory(const std::string& path);
[[nodiscard]] Result<> check_is_file(const std::string& path);
[[nodiscard]] Error is_no_file(const std::string& path);

}  // namespace hookhost::os
