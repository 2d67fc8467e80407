#include "structure/text.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "structure/includes.h"

namespace hookhost::structure {
namespace {

constexpr std::size_t kReadmeLinesMax = 40;
constexpr std::size_t kSourceLinesMax = 400;

constexpr std::array<std::string_view, 9> kTopLevel = {"CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
                                                       "conf",         "host",           "plugins",           "sdk"};
constexpr std::string_view kTopLevelTests = "tests";

// Longer than kSourceLinesMax, and why.
constexpr std::array<std::string_view, 2> kLongFiles = {
    "sdk/include/hookhost/abi.h",                    // one header is the whole contract, and most of it is prose
    "sdk/include/hookhost/testing/fake_host.hpp",    // one class: the host's table as a test sees it
};

// Written in halves: this file is checked like every other.
const std::array<std::string, 5> kWords = {"TO" "DO", "FIX" "ME", "XX" "X", "for " "now", "place" "holder"};
const std::array<std::string, 5> kSleeps = {"sleep_" "for", "sleep_" "until", "u" "sleep", "nano" "sleep", "sl" "eep"};
const std::array<std::string, 4> kMachinePaths = {"/ho" "me/", "/wo" "rk/", "/ro" "ot/", "/Us" "ers/"};

// Plugins that hang because a test tells them to.
constexpr std::array<std::string_view, 3> kSleepers = {"tests/plugins/hostile.cpp", "tests/system/ledger.cpp", "tests/system/probe.cpp"};

// Programs that hookhost is compared with; tests/bench/run.sh builds them.
constexpr std::string_view kPeers = "tests/bench/peers";

// No test: its script polls servers with the shell's means, up to a deadline.
constexpr std::string_view kBench = "tests/bench";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_name(char c) {
  c = lower(c);
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// `word` in any letter case, not as a part of a longer word. npos: no.
std::size_t find_word(std::string_view line, std::string_view word, std::size_t from = 0) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  for (auto at = line.begin() + static_cast<std::ptrdiff_t>(from);;) {
    at = std::search(at, line.end(), word.begin(), word.end(), same);
    if (at == line.end()) return std::string_view::npos;
    const auto behind = at + static_cast<std::ptrdiff_t>(word.size());
    if ((at == line.begin() || !is_name(at[-1])) && (behind == line.end() || !is_name(*behind))) {
      return static_cast<std::size_t>(at - line.begin());
    }
    ++at;
  }
}

bool is_script(std::string_view path) {
  const auto kind = extension(path);
  return kind == ".sh" || kind == ".py" || kind == ".lua" || kind == ".mjs" || path == ".ci/run";
}

// What people write by hand; not licences, nor the odd bytes of corpora and golden files.
bool is_prose_or_code(std::string_view path) {
  if (path.find("corpus/") != std::string_view::npos || is_under(path, "tests/golden")) return false;
  const auto kind = extension(path);
  return is_source(path) || is_script(path) || kind == ".md" || kind == ".txt" || kind == ".cmake" || kind == ".in" || kind == ".yaml" ||
         kind == ".proto" || kind == ".json" || kind == ".js" || kind == ".html" || kind == ".css";
}

template <class Range>
bool contains(const Range& range, std::string_view name) {
  return std::find(range.begin(), range.end(), name) != range.end();
}

}  // namespace

Findings check_top_level(const std::vector<std::string>& names) {
  Findings out;
  for (const std::string& name : names) {
    if (name != kTopLevelTests && !contains(kTopLevel, name)) out.push_back({name, 0, "does not belong to the top level; find its room"});
  }
  for (const std::string_view name : kTopLevel) {
    if (!contains(names, name)) out.push_back({std::string(name), 0, "is missing from the top level"});
  }
  if (!contains(names, kTopLevelTests)) out.push_back({std::string(kTopLevelTests), 0, "is missing from the top level"});
  return out;
}

Findings check_readmes(const Tree& tree) {
  Findings out;
  std::set<std::string> present;
  for (const auto& [path, lines] : tree) present.insert(room_of(path));
  for (const std::string& room : rooms()) {
    if (!present.contains(room)) continue;
    const auto readme = tree.find("host/" + room + "/README.md");
    if (readme == tree.end()) {
      out.push_back({"host/" + room, 0, "has no README.md: purpose, public headers, invariants, threads, failure modes"});
    } else if (readme->second.size() > kReadmeLinesMax) {
      out.push_back({readme->first, kReadmeLinesMax + 1, "a room's page has at most 40 lines"});
    }
  }
  return out;
}

Findings check_lengths(const Tree& tree) {
  Findings out;
  for (const auto& [path, lines] : tree) {
    if (!is_source(path) && !is_script(path) && !path.ends_with("CMakeLists.txt")) continue;
    const bool excused = contains(kLongFiles, path);
    if (lines.size() > kSourceLinesMax && !excused) {
      out.push_back({path, 0, std::to_string(lines.size()) + " lines; above 400 a file holds more than one idea"});
    }
    if (lines.size() <= kSourceLinesMax && excused) out.push_back({path, 0, "is short again; take it from the list of tests/structure/text.cc"});
  }
  return out;
}

Findings check_words(const Tree& tree) {
  Findings out;
  for (const auto& [path, lines] : tree) {
    if (!is_prose_or_code(path)) continue;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      for (const std::string& word : kWords) {
        if (find_word(lines[i], word) != std::string_view::npos) out.push_back({path, i + 1, "'" + word + "': do it, or open an issue"});
      }
    }
  }
  return out;
}

Findings check_sleeps(const Tree& tree) {
  Findings out;
  for (const auto& [path, lines] : tree) {
    if (!is_under(path, "tests") || (!is_source(path) && !is_script(path)) || contains(kSleepers, path) || is_under(path, kBench)) continue;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      for (const std::string& word : kSleeps) {
        const std::size_t at = find_word(lines[i], word);
        if (at == std::string_view::npos) continue;
        const std::string_view rest = std::string_view(lines[i]).substr(at + word.size());
        const bool called = rest.starts_with("(") || (is_script(path) && rest.size() > 1 && rest[0] == ' ' && rest[1] >= '0' && rest[1] <= '9');
        if (called) out.push_back({path, i + 1, word + ": poll for what you wait for, with a deadline (tests/support/poll.h)"});
      }
    }
  }
  return out;
}

Findings check_machine_paths(const Tree& tree) {
  Findings out;
  for (const auto& [path, lines] : tree) {
    if (!is_prose_or_code(path)) continue;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      for (const std::string& folder : kMachinePaths) {
        const std::size_t at = lines[i].find(folder);
        const bool begins = at != std::string::npos && (at == 0 || (!is_name(lines[i][at - 1]) && lines[i][at - 1] != '.' && lines[i][at - 1] != '}'));
        if (begins) out.push_back({path, i + 1, folder + "... is a path of one machine"});
      }
    }
  }
  return out;
}

Findings check_built(const Tree& tree) {
  Findings out;
  for (const auto& [path, lines] : tree) {
    if (!is_source(path) || is_header(path) || is_under(path, kPeers)) continue;
    bool named = false;
    for (std::size_t slash = path.rfind('/'); slash != std::string::npos && !named; slash = slash == 0 ? std::string::npos : path.rfind('/', slash - 1)) {
      const std::string name = path.substr(slash + 1);
      for (const auto& [other, text] : tree) {
        if (!is_under(other, path.substr(0, slash)) || (extension(other) != ".txt" && extension(other) != ".cmake" && !is_script(other))) continue;
        named = std::any_of(text.begin(), text.end(), [&](const std::string& line) { return line.find(name) != std::string::npos; });
        if (named) break;
      }
    }
    if (!named) out.push_back({path, 0, "no CMakeLists.txt names it: build it or remove it"});
  }
  return out;
}

Findings check_test_map(const Tree& tree) {
  Findings out;
  const auto map = tree.find("tests/README.md");
  if (map == tree.end()) return {{"tests/README.md", 0, "is missing: it names the tests of each promise"}};
  std::set<std::string> tests;
  for (const auto& [path, lines] : tree) {
    if (!is_under(path, "tests") || !is_source(path)) continue;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (!lines[i].starts_with("TEST")) continue;
      const std::string both = i + 1 < lines.size() ? lines[i] + lines[i + 1] : lines[i];
      const std::size_t open = both.find('('), comma = both.find(','), close = both.find(')');
      if (open == std::string::npos || comma == std::string::npos || close == std::string::npos || comma > close) continue;
      std::string name = both.substr(open + 1, comma - open - 1) + "." + both.substr(comma + 1, close - comma - 1);
      name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
      tests.insert(std::move(name));
    }
  }
  // A test is named as `Suite.Name`, both with a capital letter.
  for (std::size_t i = 0; i < map->second.size(); ++i) {
    std::string_view rest = map->second[i];
    for (std::size_t open = rest.find('`'); open != std::string_view::npos; open = rest.find('`')) {
      rest.remove_prefix(open + 1);
      const std::size_t close = rest.find('`');
      if (close == std::string_view::npos) break;
      const std::string name(rest.substr(0, close));
      rest.remove_prefix(close + 1);
      const std::size_t dot = name.find('.');
      const auto capital = [&](std::size_t at) { return at < name.size() && name[at] >= 'A' && name[at] <= 'Z'; };
      const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return is_name(c) || c == '.'; });
      if (!plain || dot == std::string::npos || !capital(0) || !capital(dot + 1) || name.ends_with(".md") || name.ends_with(".txt")) continue;
      if (!tests.contains(name)) out.push_back({map->first, i + 1, name + " is no test of this tree"});
    }
  }
  return out;
}

}  // namespace hookhost::structure
