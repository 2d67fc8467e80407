// The checks that look at files as text: what stands where, how long it is, and words that must not be in it.
#pragma once

#include <string>
#include <vector>

#include "structure/tree.h"

namespace hookhost::structure {

// Exactly the entries that a stranger is told about; dotfiles are left out by the caller.
[[nodiscard]] Findings check_top_level(const std::vector<std::string>& names);
// Every room has a README.md of at most 40 lines.
[[nodiscard]] Findings check_readmes(const Tree& tree);
// No source above 400 lines but those of a short list, each with its reason; nothing in the list that is not needed.
[[nodiscard]] Findings check_lengths(const Tree& tree);
// Promises to come back later.
[[nodiscard]] Findings check_words(const Tree& tree);
// Tests poll with a deadline (tests/support/poll.h); they never sleep for luck.
[[nodiscard]] Findings check_sleeps(const Tree& tree);
// Paths of one person's machine.
[[nodiscard]] Findings check_machine_paths(const Tree& tree);
// Every .cc, .cpp and .c is named by a CMakeLists.txt or a script of its folder or of one above.
[[nodiscard]] Findings check_built(const Tree& tree);
// Every test that tests/README.md names is there.
[[nodiscard]] Findings check_test_map(const Tree& tree);

}  // namespace hookhost::structure
