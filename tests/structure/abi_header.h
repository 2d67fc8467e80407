// abi.h as a stranger reads it: what every function, member and number of it must say, and that tests/abi/layout_test.cc fixes it.
#pragma once

#include "structure/tree.h"

namespace hookhost::structure {

// A function says on which threads it may be called, who owns what it is given and gives, for how long that lives, and what it answers. A
// member and a number say what they mean; a struct whose it is. Growable structs begin with struct_size; no member has a type whose layout a
// compiler may choose. Every member and number stands in the layout test.
[[nodiscard]] Findings check_abi_header(const Tree& tree);

}  // namespace hookhost::structure
