// A small file as memory: what is written there outlives the process, however it ends, but not the machine. For the few bytes that must be
// left behind by a process that may call nothing any more.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "base/result.h"

namespace hookhost::os {

class MappedFile {
 public:
  // Makes the file (0600, zeros) when it is missing; its blocks are there before this returns, so that no write meets a full disk.
  // Error: no_space, permission, io_error.
  [[nodiscard]] static Result<MappedFile> open(const std::string& path, std::size_t size);
  MappedFile(MappedFile&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)), size_(other.size_) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  [[nodiscard]] void* memory() const { return memory_; }

 private:
  MappedFile(void* memory, std::size_t size) : memory_(memory), size_(size) {}
  void* memory_;
  std::size_t size_;
};

}  // namespace hookhost::os
