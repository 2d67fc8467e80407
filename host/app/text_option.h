// An option that is a text, or @FILE for what stands in a file.
#pragma once

#include <string>

#include "base/result.h"
#include "os/file_system.h"

namespace hookhost::app {

inline constexpr std::uint64_t kOptionBytesMax = 64 << 20;

[[nodiscard]] inline Result<std::string> text_of_option(const std::string& given) {
  if (!given.starts_with('@')) return given;
  return os::read_file(os::local_file_system(), given.substr(1), kOptionBytesMax);
}

}  // namespace hookhost::app
