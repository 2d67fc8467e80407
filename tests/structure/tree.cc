#include "structure/tree.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace hookhost::structure {
namespace {

namespace fs = std::filesystem;

// The folders of .gitignore, wherever they stand.
constexpr std::array kIgnored = {".git", "build", "var", "node_modules"};

bool is_ignored(const std::string& name) {
  return std::find(kIgnored.begin(), kIgnored.end(), name) != kIgnored.end() || name.ends_with(".swp");
}

bool is_text(const std::string& bytes) { return bytes.find('\0') == std::string::npos; }

}  // namespace

Tree read_tree(const std::string& top) {
  Tree tree;
  for (auto at = fs::recursive_directory_iterator(top); at != fs::recursive_directory_iterator(); ++at) {
    if (is_ignored(at->path().filename().string())) {
      at.disable_recursion_pending();
      continue;
    }
    if (!at->is_regular_file()) continue;
    std::ifstream in(at->path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (is_text(bytes)) tree.emplace(fs::relative(at->path(), top).generic_string(), lines_of(bytes));
  }
  return tree;
}

std::vector<std::string> read_top_level(const std::string& top) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(top)) {
    const std::string name = entry.path().filename().string();
    if (!is_ignored(name) && !name.starts_with('.')) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string to_text(const Findings& findings) {
  std::string out;
  for (const Finding& finding : findings) {
    out += finding.path;
    if (finding.line != 0) out += ":" + std::to_string(finding.line);
    out += ": " + finding.what + "\n";
  }
  return out;
}

std::string_view extension(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot);
}

bool is_header(std::string_view path) {
  const auto kind = extension(path);
  return kind == ".h" || kind == ".hpp";
}

bool is_source(std::string_view path) {
  const auto kind = extension(path);
  return is_header(path) || kind == ".cc" || kind == ".cpp" || kind == ".c";
}

bool is_under(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && (folder.ends_with('/') || path[folder.size()] == '/');
}

std::string room_of(std::string_view path) {
  constexpr std::string_view kHost = "host/";
  if (!path.starts_with(kHost)) return {};
  path.remove_prefix(kHost.size());
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

}  // namespace hookhost::structure
