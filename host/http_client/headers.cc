#include "http_client/headers.h"

#include <algorithm>

namespace hookhost::http_client {
namespace {

bool ends_its_line(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char byte) { return byte == '\r' || byte == '\n' || byte == '\0'; });
}

}  // namespace

void Headers::add(std::string_view name, std::string_view value) {
  if (ends_its_line(name) || ends_its_line(value)) {
    are_lines_ = false;
    return;
  }
  lines_.append(name);
  if (value.empty()) {
    lines_ += ';';
  } else {
    lines_.append(": ").append(value);
  }
  lines_ += '\0';
}

}  // namespace hookhost::http_client
