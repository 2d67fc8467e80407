// The file that lines are appended to, with the one promise that matters: after cut_back(n) it holds exactly its first n bytes, and after
// sync() what was appended survives a power cut. One thread at a time.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace jsonl_export {

// `unavailable`: full disk or quota, too many open files; waiting may help.
struct FileError : std::runtime_error {
  FileError(const std::string& what, int error);
  bool unavailable;
};

class ExportFile {
 public:
  // Opens `path` for appending, makes it (0600) when missing. Throws FileError.
  explicit ExportFile(std::string path);
  ~ExportFile();
  ExportFile(const ExportFile&) = delete;
  ExportFile& operator=(const ExportFile&) = delete;

  // Cuts the file to `length` bytes, durably. Throws FileError when it is shorter: something else removed committed lines.
  void cut_back(std::uint64_t length);
  // All of it or nothing: a short write is undone before the error is thrown.
  void append(std::string_view bytes);
  void sync();
  [[nodiscard]] std::uint64_t length() const { return length_; }

 private:
  void open();
  void sync_directory();
  void cut_overhang();
  [[noreturn]] void fail(const char* doing) const;

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t length_ = 0;
  bool has_overhang_ = false;  // behind length_ stands a part of a line that could not be cut off
};

}  // namespace jsonl_export
