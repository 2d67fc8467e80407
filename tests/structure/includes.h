// Who may include what: the table of rooms in host/README.md as data, and the checks over it.
#pragma once

#include <string>
#include <vector>

#include "structure/tree.h"

namespace hookhost::structure {

// The rooms in their order: each includes only those before it. ingest and delivery never include each other.
[[nodiscard]] const std::vector<std::string>& rooms();

struct Include {
  std::size_t line = 0;
  std::string name;
  bool angled = false;
};
[[nodiscard]] std::vector<Include> includes_of(const Lines& lines);

// A room includes only rooms above it, and says so in its CMakeLists.txt.
[[nodiscard]] Findings check_room_order(const Tree& tree);
// A third party's headers stand only in the room that may; the calls that touch files and processes only in os.
[[nodiscard]] Findings check_third_parties(const Tree& tree);
// No header that brings a third party's types along is included, over any number of steps, from another room.
[[nodiscard]] Findings check_leaks(const Tree& tree);
// abi.h includes stdint.h and stddef.h; the rest of the SDK includes the SDK and the standard library.
[[nodiscard]] Findings check_sdk(const Tree& tree);
// A plugin includes the SDK, the standard library, the system, and its own third parties; nothing of host/ or of another plugin.
[[nodiscard]] Findings check_plugins(const Tree& tree);

}  // namespace hookhost::structure
