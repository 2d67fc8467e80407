// A JSON text behind the ABI's json(pointer): parsed once, at the first question; RFC 6901.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hookhost/abi.h"

namespace hookhost::plugins {

// Threads: one at a time. Texts in answers live as long as the document.
class JsonDocument {
 public:
  explicit JsonDocument(std::string_view text);
  ~JsonDocument();
  void find(std::string_view pointer, hookhost_value& out);

 private:
  struct Parsed;
  std::string_view text_;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace hookhost::plugins
