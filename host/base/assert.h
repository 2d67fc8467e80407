// HOOKHOST_ASSERT: a programmer's error, checked in release too. Never for input, files, networks or plugins: those are operating errors.
#pragma once

namespace hookhost {
// Prints the condition and its place to standard error and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace hookhost

#define HOOKHOST_ASSERT(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::hookhost::assertion_failed(#condition, __FILE__, __LINE__))
