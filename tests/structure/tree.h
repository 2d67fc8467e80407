// The repository's text files in memory, so that every check can be shown a made-up tree as well.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hookhost::structure {

using Lines = std::vector<std::string>;
using Tree = std::map<std::string, Lines>;  // by path from the top, with '/'

struct Finding {
  std::string path;
  std::size_t line = 0;  // from 1; 0: the file as a whole
  std::string what;      // what is wrong and what to do about it
};
using Findings = std::vector<Finding>;

// Everything below `top` but .git, what .gitignore leaves out, and files that are not text.
[[nodiscard]] Tree read_tree(const std::string& top);
// The names in `top` itself, without those of .gitignore and without dotfiles.
[[nodiscard]] std::vector<std::string> read_top_level(const std::string& top);

[[nodiscard]] Lines lines_of(std::string_view text);
[[nodiscard]] std::string to_text(const Findings& findings);  // "path:line: what", one a line

// Words of paths.
[[nodiscard]] std::string_view extension(std::string_view path);  // with its dot; empty: none
[[nodiscard]] bool is_source(std::string_view path);              // C or C++
[[nodiscard]] bool is_header(std::string_view path);
[[nodiscard]] bool is_under(std::string_view path, std::string_view folder);
[[nodiscard]] std::string room_of(std::string_view path);  // of host/<room>/...; empty: elsewhere

}  // namespace hookhost::structure
