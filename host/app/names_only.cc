#include "app/names_only.h"

#include <algorithm>

#include "os/file_system.h"

namespace hookhost::app {
namespace {

bool is_of_a_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }

// Of the path itself its last name is left; of one that goes on below it, what follows. A dot that ends a sentence ends the path.
void shorten(std::string& text, const std::string& path) {
  const std::string name = os::file_name(path);
  for (auto at = text.find(path); at != std::string::npos; at = text.find(path, at)) {
    const std::size_t end = at + path.size();
    const bool begins = at == 0 || !(is_of_a_name(text[at - 1]) || text[at - 1] == '/');
    const bool goes_on = end < text.size() && is_of_a_name(text[end]) && !(text[end] == '.' && (end + 1 == text.size() || text[end + 1] == ' '));
    if (!begins || goes_on) {
      at = end;
    } else if (end < text.size() && text[end] == '/') {
      text.erase(at, path.size() + 1);
    } else {
      text.replace(at, path.size(), name);
      at += name.size();
    }
  }
}

}  // namespace

std::string names_only(std::string text, const std::vector<std::string>& paths) {
  std::vector<std::string> all;
  const auto add = [&](std::string at) {
    for (; at != "/" && at != "."; at = os::parent(at)) all.push_back(at);
  };
  for (const std::string& path : paths) {
    add(os::absolute(path));
    if (const auto real = os::resolved(path)) add(real.value());
  }
  // Order: the longest first, or of a path that begins like another one more than its name would be left.
  std::sort(all.begin(), all.end(), [](const std::string& left, const std::string& right) { return left.size() > right.size(); });
  for (const std::string& path : all) shorten(text, path);
  return text;
}

}  // namespace hookhost::app
