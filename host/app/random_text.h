// Letters and digits that nobody can guess, for ids and keys.
#pragma once

#include <string>

#include "signing/digest.h"

namespace hookhost::app {

// Each character one of 62, all equally likely.
[[nodiscard]] inline std::string random_text(std::size_t size) {
  constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr unsigned kFair = 256 / kCharacters.size() * kCharacters.size();  // above it some would come more often
  std::string out;
  while (out.size() < size) {
    for (const char byte : signing::random_bytes(size - out.size())) {
      const auto value = static_cast<unsigned char>(byte);
      if (value < kFair) out += kCharacters[value % kCharacters.size()];
    }
  }
  return out;
}

}  // namespace hookhost::app
