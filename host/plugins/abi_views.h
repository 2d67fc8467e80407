// Between the ABI's views of text and bytes and C++'s. Nothing is copied.
#pragma once

#include <cstdint>
#include <string_view>

#include "hookhost/abi.h"

namespace hookhost::plugins {

[[nodiscard]] inline std::string_view view(hookhost_str text) { return text.ptr == nullptr ? std::string_view() : std::string_view(text.ptr, text.len); }
[[nodiscard]] inline std::string_view view(hookhost_bytes bytes) { return view(hookhost_str{reinterpret_cast<const char*>(bytes.ptr), bytes.len}); }
[[nodiscard]] inline hookhost_str str(std::string_view text) { return {text.data() == nullptr ? "" : text.data(), text.size()}; }
[[nodiscard]] inline hookhost_bytes bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

}  // namespace hookhost::plugins
