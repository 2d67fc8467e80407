#include "structure/includes.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace hookhost::structure {
namespace {

struct ThirdParty {
  std::string_view prefix;               // of the header's name; the longest that fits decides
  std::vector<std::string_view> rooms;   // empty: every room, in .cc files
};

const std::vector<ThirdParty>& third_parties() {
  static const std::vector<ThirdParty> table = {
      {"boost/outcome/", {"base"}},
      {"boost/json", {}},
      {"boost/beast/", {"http"}},
      {"boost/asio/buffer.hpp", {"http"}},
      {"boost/system/", {"http"}},
      {"boost/dll/", {"plugins"}},
      {"spdlog/", {"base"}},
      {"curl/", {"http_client"}},
      {"yaml-cpp/", {"config"}},
      {"pistache/", {"http"}},
      {"openssl/ssl.h", {"http"}},
      {"openssl/err.h", {"http"}},
      {"openssl/pem.h", {"http"}},
      {"openssl/x509", {"http"}},
      {"openssl/", {"signing"}},
      {"google/protobuf/", {"event_log"}},
      {"event_record.pb.h", {"event_log"}},
      {"sqlite3.h", {"state"}},
      {"valijson/", {"plugins", "api"}},
      {"hookhost/", {"plugins"}},
      {"prometheus/", {"api"}},
      {"CLI/", {"app"}},
  };
  return table;
}

const ThirdParty* third_party(std::string_view name) {
  const ThirdParty* best = nullptr;
  for (const ThirdParty& one : third_parties()) {
    if (name.starts_with(one.prefix) && (best == nullptr || one.prefix.size() > best->prefix.size())) best = &one;
  }
  return best;
}

// Headers of the system through which a file or a process is reached without os.
constexpr std::array<std::string_view, 11> kFileHeaders = {"fcntl.h",        "sys/stat.h", "sys/file.h", "sys/statvfs.h", "sys/uio.h",
                                                           "sys/sendfile.h", "dirent.h",   "spawn.h",    "fstream",       "filesystem", "sys/mman.h"};
constexpr std::array<std::string_view, 20> kFileCalls = {"open",   "openat",    "creat",  "pwrite", "pwritev", "writev",      "fsync",
                                                         "fork",   "fdatasync", "vfork",  "rename", "unlink",  "ftruncate",   "truncate",
                                                         "mkdir",  "rmdir",     "execve", "execv",  "execvp",  "posix_spawn"};

template <class Range>
bool contains(const Range& range, std::string_view name) {
  return std::find(range.begin(), range.end(), name) != range.end();
}

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// "::name(" that no class or namespace owns.
bool calls_global(std::string_view line, std::string_view name) {
  const std::string call = "::" + std::string(name) + "(";
  for (std::size_t at = line.find(call); at != std::string_view::npos; at = line.find(call, at + 1)) {
    if (at == 0 || (!is_name(line[at - 1]) && line[at - 1] != '>')) return true;
  }
  return false;
}

std::size_t rank(std::string_view room) {
  return static_cast<std::size_t>(std::find(rooms().begin(), rooms().end(), room) - rooms().begin());
}

bool is_room(std::string_view name) { return rank(name) < rooms().size(); }

std::string first_part(std::string_view name) { return std::string(name.substr(0, name.find('/'))); }

// Why `from` must not use `to`; empty: it may.
std::string refusal(const std::string& from, const std::string& to) {
  if (from == to) return {};
  if ((from == "ingest" && to == "delivery") || (from == "delivery" && to == "ingest")) {
    return "ingest and delivery meet at the event log's durable end, never each other";
  }
  if (rank(to) > rank(from)) return to + " stands below " + from + " in the table of host/README.md; turn the dependency round";
  return {};
}

std::string folder_of(std::string_view path) { return std::string(path.substr(0, path.rfind('/'))); }

// The file of this tree that an include names; empty: none.
std::string resolve(const Tree& tree, std::string_view from, const Include& include) {
  for (const std::string& candidate : {"host/" + include.name, folder_of(from) + "/" + include.name, "sdk/include/" + include.name}) {
    if (tree.contains(candidate)) return candidate;
  }
  return {};
}

bool is_system_or_standard(const Include& include) { return include.angled && third_party(include.name) == nullptr; }

// `a.h`, `sys/a.h` and the like, or a name without a dot: not a library that somebody must install.
bool looks_like_system(std::string_view name) {
  if (name.find('.') == std::string_view::npos) return name.find('/') == std::string_view::npos;
  if (!name.ends_with(".h")) return false;
  constexpr std::array<std::string_view, 5> kFolders = {"sys", "netinet", "arpa", "linux", "net"};
  return name.find('/') == std::string_view::npos || contains(kFolders, first_part(name));
}

std::string join(const std::vector<std::string_view>& names) {
  std::string out;
  for (const auto name : names) out += (out.empty() ? "" : " and ") + std::string(name);
  return out;
}

}  // namespace

const std::vector<std::string>& rooms() {
  static const std::vector<std::string> names = {"base",   "os",       "http_client", "config",    "http", "signing", "event_log", "state",
                                                 "ingest", "delivery", "plugins",     "endpoints", "api",  "app"};
  return names;
}

std::vector<Include> includes_of(const Lines& lines) {
  std::vector<Include> out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string_view line = lines[i];
    const auto skip = [&](std::string_view word) {
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      if (!line.starts_with(word)) return false;
      line.remove_prefix(word.size());
      return true;
    };
    if (!skip("#") || !skip("include") || !skip("")) continue;
    if (line.size() < 3 || (line.front() != '<' && line.front() != '"')) continue;
    const bool angled = line.front() == '<';
    const std::size_t end = line.find(angled ? '>' : '"', 1);
    if (end == std::string_view::npos) continue;
    out.push_back({i + 1, std::string(line.substr(1, end - 1)), angled});
  }
  return out;
}

Findings check_room_order(const Tree& tree) {
  Findings out;
  for (const auto& [path, lines] : tree) {
    const std::string room = room_of(path);
    if (room.empty() || room == "cmake") continue;
    if (!is_room(room)) {
      out.push_back({path, 0, "host/" + room + " is not a room of the table"});
      continue;
    }
    if (is_source(path)) {
      for (const Include& include : includes_of(lines)) {
        const std::string to = first_part(include.name);
        if (include.angled || include.name.find('/') == std::string::npos || !is_room(to)) continue;
        if (const std::string why = refusal(room, to); !why.empty()) out.push_back({path, include.line, why});
      }
    }
    if (path.ends_with("/CMakeLists.txt")) {
      for (std::size_t i = 0; i < lines.size(); ++i) {
        for (const std::string& to : rooms()) {
          const std::string target = "hookhost_" + to;
          const std::size_t at = lines[i].find(target);
          const bool whole = at != std::string::npos && (at + target.size() == lines[i].size() || !is_name(lines[i][at + target.size()]));
          if (!whole) continue;
          if (const std::string why = refusal(room, to); !why.empty()) out.push_back({path, i + 1, why});
        }
        std::size_t at = lines[i].find("ROOMS ");
        if (at == std::string::npos) continue;
        at += 6;
        while (at < lines[i].size()) {
          const std::size_t end = std::min(lines[i].find_first_of(" )", at), lines[i].size());
          const std::string to = lines[i].substr(at, end - at);
          if (!is_room(to)) break;
          if (const std::string why = refusal(room, to); !why.empty()) out.push_back({path, i + 1, why});
          at = end + 1;
        }
      }
    }
  }
  return out;
}

Findings check_third_parties(const Tree& tree) {
  Findings out;
  for (const auto& [path, lines] : tree) {
    const std::string room = room_of(path);
    if (room.empty() || !is_source(path)) continue;
    for (const Include& include : includes_of(lines)) {
      if (room != "os" && contains(kFileHeaders, include.name)) {
        out.push_back({path, include.line, "<" + include.name + "> belongs to os, where tests can make it fail"});
        continue;
      }
      if (const ThirdParty* party = third_party(include.name)) {
        if (!party->rooms.empty() && !contains(party->rooms, room)) {
          out.push_back({path, include.line, include.name + " may be included only in " + join(party->rooms)});
        }
      } else if (include.angled && !looks_like_system(include.name)) {
        out.push_back({path, include.line, include.name + " is a third party that no room may include; the table in tests/structure names all"});
      }
    }
    if (room == "os") continue;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].find("::") == std::string::npos) continue;
      for (const auto name : kFileCalls) {
        if (calls_global(lines[i], name)) out.push_back({path, i + 1, "::" + std::string(name) + " belongs to os, where tests can make it fail"});
      }
    }
  }
  return out;
}

Findings check_leaks(const Tree& tree) {
  Findings out;
  for (const auto& [path, lines] : tree) {
    const std::string room = room_of(path);
    if (room.empty() || !is_source(path)) continue;
    // What this file sees, each with the file through which it came.
    std::vector<std::string> seen{path};
    std::set<std::string> known{path};
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const std::string here = seen[i];
      const std::string owner = room_of(here);
      for (const Include& include : includes_of(tree.at(here))) {
        if (const ThirdParty* party = third_party(include.name)) {
          // Result is Boost.Outcome's by its own name: the one third party that every room sees.
          const bool everywhere = contains(party->rooms, "base") && include.name.starts_with("boost/outcome/");
          if (owner != room && !owner.empty() && !everywhere && !(party->rooms.empty() && include.name == "boost/json/fwd.hpp")) {
            out.push_back({path, 0, "sees " + include.name + " through " + here + "; hide it behind a forward declaration"});
          }
          continue;
        }
        if (std::string next = resolve(tree, here, include); is_header(next) && known.insert(next).second) seen.push_back(std::move(next));
      }
    }
  }
  return out;
}

Findings check_sdk(const Tree& tree) {
  Findings out;
  for (const auto& [path, lines] : tree) {
    if (!is_under(path, "sdk/include") || !is_source(path)) continue;
    const bool abi = path == "sdk/include/hookhost/abi.h";
    for (const Include& include : includes_of(lines)) {
      if (abi && include.name != "stdint.h" && include.name != "stddef.h") {
        out.push_back({path, include.line, "abi.h includes stdint.h and stddef.h, nothing else"});
      }
      const bool own = include.name.starts_with("hookhost/") && tree.contains("sdk/include/" + include.name);
      const bool standard = include.angled && include.name.find_first_of("./") == std::string::npos;
      if (!abi && !own && !standard) out.push_back({path, include.line, include.name + ": the SDK includes itself and the standard library"});
    }
  }
  return out;
}

// An example of a plugin that waits for a service needs a client; what people build plugins with otherwise is the SDK alone.
constexpr const char* kExamplesMayUse = "curl/curl.h";

Findings check_plugins(const Tree& tree) {
  Findings out;
  for (const auto& [path, lines] : tree) {
    const bool example = is_under(path, "sdk/examples");
    if ((!is_under(path, "plugins") && !example) || !is_source(path)) continue;
    for (const Include& include : includes_of(lines)) {
      if (is_system_or_standard(include) || include.name.starts_with("hookhost/")) continue;
      if (!include.angled) {
        if (include.name.find("..") != std::string::npos || !tree.contains(folder_of(path) + "/" + include.name)) {
          out.push_back({path, include.line, include.name + ": a plugin includes the SDK, its own headers and its own third parties"});
        }
      } else if (include.name == "event_record.pb.h" || (example && include.name != kExamplesMayUse)) {
        out.push_back({path, include.line, include.name + " belongs to the host"});
      }
    }
  }
  return out;
}

}  // namespace hookhost::structure
