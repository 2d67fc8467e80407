// Reads the plugin note from an ELF file's bytes, through PT_NOTE, before any of its code may run. Trusts nothing: every offset and length is
// checked against the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost::plugins {

struct PluginNote {
  std::uint32_t major = 0;
  std::uint32_t minor_needed = 0;
  std::string id;
};

// Error: not_supported, saying why this file is no plugin of this machine.
[[nodiscard]] Result<PluginNote> read_note(std::string_view file);

}  // namespace hookhost::plugins
