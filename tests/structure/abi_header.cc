#include "structure/abi_header.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace hookhost::structure {
namespace {

constexpr const char* kHeader = "sdk/include/hookhost/abi.h";
constexpr const char* kReadme = "sdk/README.md";
constexpr const char* kLayout = "tests/abi/layout_test.cc";
constexpr std::array kFrozen = {"hookhost_str", "hookhost_bytes", "hookhost_header", "hookhost_value", "hookhost_note"};
constexpr const char* kSetting = "HOOKHOST_ABI_MINOR_NEEDED";  // the author's, with a default
constexpr std::array kThreads = {"[load]", "[handle]", "[handle, deferred]", "[any]"};
constexpr std::array kPlainTypes = {"char", "uint8_t", "uint32_t", "int32_t", "uint64_t", "int64_t", "double", "size_t", "void"};
constexpr std::array kAnswers = {"HOOKHOST_", "status", "Status", "Not 0", "0:", "0,", "0."};  // words by which an int32_t is explained

bool holds(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// A statement, a brace or a preprocessor's line, with the comment before it and the one beside it.
struct Item {
  std::size_t line = 0;
  std::string code, before, beside;
};

class Reader {
 public:
  explicit Reader(const Lines& lines) {
    for (const auto& line : lines) text_ += line + "\n";
    while (at_ < text_.size()) step();
  }
  std::vector<Item> items;

 private:
  void step() {
    if (text_.compare(at_, 2, "/*") == 0) return comment();
    if (text_.compare(at_, 2, "\n\n") == 0) before_.clear();
    if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
      advance(at_ + 1);
      return;
    }
    Item item{line_, "", std::exchange(before_, ""), ""};
    const bool is_directive = text_[at_] == '#';
    for (char last = ' '; at_ < text_.size(); advance(at_ + 1)) {
      const char c = text_[at_];
      if (is_directive ? c == '\n' && last != '\\' : last == ';' || last == '{' || last == '}') break;
      if (text_.compare(at_, 2, "/*") == 0) {  // beside it, or in the middle of it
        if (is_directive) break;
        advance(text_.find("*/", at_) + 1);
        continue;
      }
      item.code += c;
      last = c;
    }
    ended_ = line_;
    items.push_back(std::move(item));
  }
  void comment() {
    const std::size_t end = std::min(text_.find("*/", at_), text_.size() - 2);
    const std::string words = text_.substr(at_ + 2, end - at_ - 2);
    (!items.empty() && line_ == ended_ ? items.back().beside : before_) += words;
    advance(end + 2);
  }
  void advance(std::size_t to) {
    line_ += static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    at_ = to;
  }

  std::string text_, before_;
  std::size_t at_ = 0, line_ = 1, ended_ = 0;
};

class Checker {
 public:
  Checker(const Lines& header, std::string layout) : layout_(std::move(layout)) {
    for (const Item& item : Reader(header).items) look_at(item);
  }
  Findings findings;

 private:
  void wrong(const Item& item, const std::string& what) { findings.push_back({kHeader, item.line, what}); }
  template <class List>
  static bool holds_one_of(const std::string& text, const List& list) {
    return std::any_of(list.begin(), list.end(), [&](const char* one) { return holds(text, one); });
  }

  void look_at(const Item& item) {
    if (item.code.starts_with("#define HOOKHOST_")) return number(item);
    if (item.code.front() == '#') return;
    if (item.code.starts_with("typedef struct") && item.code.ends_with(";")) last_comment_ = item.before;
    if (item.code.ends_with("{") && holds(item.code, "struct hookhost_")) return begin(item);
    if (item.code.front() == '}') return struct_.clear();
    const std::size_t pointer = item.code.find("(*");
    if (!struct_.empty() && pointer != std::string::npos) {
      const std::size_t end = item.code.find(')', pointer);
      const std::string name = item.code.substr(pointer + 2, end - pointer - 2);
      function(item, name);
      return placed(item, name);
    }
    if (!struct_.empty()) return member(item);
    if (item.code.starts_with("HOOKHOST_EXPORT")) function(item, "the exported function");
  }

  void begin(const Item& item) {
    const std::size_t at = item.code.find("hookhost_");
    struct_ = item.code.substr(at, item.code.find_first_of(" {", at) - at);
    is_first_ = true;
    // The comment stands before the typedef where that comes first.
    const std::string& said = item.before.empty() ? last_comment_ : item.before;
    const bool is_frozen = std::find(kFrozen.begin(), kFrozen.end(), struct_) != kFrozen.end();
    if (is_frozen && !holds(said, "Frozen")) wrong(item, struct_ + ": its comment does not say 'Frozen'");
    if (!is_frozen && !holds(said, "Host's") && !holds(said, "Plugin's")) wrong(item, struct_ + ": its comment does not say whose it is: Host's or Plugin's");
    if (!holds(layout_, "sizeof(" + struct_ + ") ==")) wrong(item, struct_ + ": " + kLayout + " does not fix its size");
  }

  void function(const Item& item, const std::string& name) {
    if (!holds_one_of(item.before, kThreads)) wrong(item, name + ": no word on threads, such as [any]");
    for (const char* word : {"Ownership:", "Lifetime:"}) {
      if (!holds(item.before, word)) wrong(item, name + ": no '" + word + "'");
    }
    if (item.code.starts_with("int32_t") && !holds_one_of(item.before, kAnswers)) wrong(item, name + ": what it answers is not said");
  }

  void member(const Item& item) {
    const std::size_t end = item.code.find_first_of(",;");
    const std::size_t name_end = item.code.find_last_not_of("]0123456789[", end - 1) + 1;
    std::size_t name_begin = name_end;
    while (name_begin > 0 && is_word(item.code[name_begin - 1])) --name_begin;
    const std::string type = trimmed(item.code.substr(0, name_begin));
    const bool is_frozen = std::find(kFrozen.begin(), kFrozen.end(), struct_) != kFrozen.end();
    if (std::exchange(is_first_, false) && !is_frozen && item.code != "uint32_t struct_size;") wrong(item, struct_ + ": it does not begin with uint32_t struct_size");
    if (!is_plain(type) || holds(item.code, ":")) wrong(item, item.code + " its layout is the compiler's choice; use a fixed-width type");
    // Of the names in "type a, b, c;" each is fixed.
    std::string names = item.code.substr(name_begin);
    for (std::size_t at = 0; at < names.size();) {
      std::size_t stop = at;
      while (stop < names.size() && is_word(names[stop])) ++stop;
      const std::string name = names.substr(at, stop - at);
      placed(item, name);
      if (name != "struct_size" && name != "reserved" && item.before.empty() && item.beside.empty()) wrong(item, name + ": what it means is not said");
      at = names.find_first_of(",;", stop);
      at = at == std::string::npos ? names.size() : names.find_first_not_of(", ;", at);
      if (at == std::string::npos) break;
    }
  }
  static bool is_plain(std::string type) {
    if (type.starts_with("const ")) type.erase(0, 6);
    while (type.ends_with("*")) type.pop_back();
    return type.starts_with("hookhost_") || std::find(kPlainTypes.begin(), kPlainTypes.end(), type) != kPlainTypes.end();
  }
  void placed(const Item& item, const std::string& name) {
    if (!holds(layout_, "offsetof(" + struct_ + ", " + name + ") ==")) wrong(item, struct_ + "." + name + ": " + kLayout + " does not fix its place");
  }

  // #define HOOKHOST_NAME 1, "text" or (-1); those with parameters and those without a value are left alone.
  void number(const Item& item) {
    const std::size_t begin = item.code.find("HOOKHOST_"), end = item.code.find_first_of(" (\n", begin);
    if (end == std::string::npos || item.code[end] == '(') return;
    const std::string name = item.code.substr(begin, end - begin), value = trimmed(item.code.substr(end));
    if (value.find_first_of("0123456789\"") > 2 || name == kSetting) return;
    if (item.beside.empty()) wrong(item, name + ": what it means is not said beside it");
    if (!holds(layout_, "(" + name + " ==")) wrong(item, name + ": " + kLayout + " does not fix its value");
  }

  const std::string layout_;
  std::string struct_;  // that the reader is in
  std::string last_comment_;
  bool is_first_ = false;
};

// Words only: a comment's stars and the line breaks left out.
std::string words_of(const Lines& lines) {
  std::string out;
  for (const auto& line : lines) {
    std::string rest = trimmed(line);
    if (rest.starts_with("* ")) rest.erase(0, 2);
    out += rest + " ";
  }
  return out;
}

// The section on threads of the SDK's README is the header's, word for word.
void check_threads(const Tree& tree, Findings& out) {
  const auto readme = tree.find(kReadme);
  if (readme == tree.end()) return;
  const auto& lines = readme->second;
  const auto begin = std::find(lines.begin(), lines.end(), "## Threads");
  if (begin == lines.end()) return out.push_back({kReadme, 0, "there is no section on threads"});
  const auto end = std::find_if(begin + 1, lines.end(), [](const auto& line) { return line.starts_with("## "); });
  const std::string rule = trimmed(words_of({begin + 1, end}));
  if (rule.empty() || !holds(words_of(tree.at(kHeader)), rule)) {
    out.push_back({kReadme, static_cast<std::size_t>(begin - lines.begin()) + 1, std::string("the rule on threads is not word for word that of ") + kHeader});
  }
}

}  // namespace

Findings check_abi_header(const Tree& tree) {
  const auto header = tree.find(kHeader), layout = tree.find(kLayout);
  if (header == tree.end()) return {};
  std::string fixed;
  if (layout != tree.end()) {
    for (const auto& line : layout->second) fixed += line + "\n";
  }
  Findings out = Checker(header->second, fixed).findings;
  check_threads(tree, out);
  return out;
}

}  // namespace hookhost::structure
