// Options that are whole numbers.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace hookhost::app {

inline std::string whole_number(const std::string& text) { return parse_u64(text) ? std::string() : "wants a whole number from 0 on, not '" + text + "'"; }

// CLI11 alone lets "-1" wrap around and clamps what is too large; here both are wrong usage.
inline CLI::Option* add_number(CLI::App* command, const std::string& name, std::uint64_t& target, const std::string& help) {
  return command->add_option(name, target, help)->type_name("N")->check(whole_number);
}

}  // namespace hookhost::app
