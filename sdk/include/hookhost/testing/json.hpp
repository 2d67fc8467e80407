// A JSON document that is asked by RFC 6901 pointers, for the fake host. Small and strict; the real host has its own.
#ifndef HOOKHOST_TESTING_JSON_HPP
#define HOOKHOST_TESTING_JSON_HPP

#include <hookhost/cpp/values.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace hookhost::testing {

// Its texts live as long as the document. Not copyable, for the values point into it.
class JsonDocument {
 public:
  explicit JsonDocument(std::string text) : text_(std::move(text)) {
    valid_ = is_utf8(text_) && parse(root_, 1) && (skip_space(), at_ == text_.size());
  }
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  [[nodiscard]] bool valid() const { return valid_; }
  [[nodiscard]] hookhost_value find(std::string_view pointer) const {
    const Node* node = valid_ ? &root_ : nullptr;
    if (!pointer.empty() && pointer.front() != '/') node = nullptr;
    while (node != nullptr && !pointer.empty()) {
      pointer.remove_prefix(1);
      const auto end = pointer.find('/');
      node = child(*node, unescape(pointer.substr(0, end)));
      pointer = end == std::string_view::npos ? std::string_view() : pointer.substr(end);
    }
    return node == nullptr ? hookhost_value{} : value_of(*node);
  }

 private:
  static constexpr int kDepthMax = 128;
  struct Node {
    std::int32_t kind = HOOKHOST_VALUE_ABSENT;
    std::int64_t integer = 0;
    double number = 0;
    std::string text;  // decoded, or the array or object as it stands
    std::vector<Node> members;
    std::vector<std::string> names;  // of an object's members
  };

  static hookhost_value value_of(const Node& node) { return {node.kind, 0, node.integer, node.number, str(node.text)}; }

  static std::string unescape(std::string_view token) {
    std::string out;
    for (std::size_t i = 0; i < token.size(); ++i) {
      const bool escaped = token[i] == '~' && i + 1 < token.size();
      out += escaped ? (token[++i] == '1' ? '/' : '~') : token[i];
    }
    return out;
  }

  static const Node* child(const Node& node, const std::string& name) {
    if (node.kind == HOOKHOST_VALUE_ARRAY) {
      if (name.empty() || name.size() > 9 || name.find_first_not_of("0123456789") != std::string::npos || (name.size() > 1 && name[0] == '0')) return nullptr;
      const auto index = static_cast<std::size_t>(std::atol(name.c_str()));
      return index < node.members.size() ? &node.members[index] : nullptr;
    }
    for (std::size_t i = node.names.size(); i-- > 0;) {  // the last of equal names counts
      if (node.names[i] == name) return &node.members[i];
    }
    return nullptr;
  }

  [[nodiscard]] char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (next() == ' ' || next() == '\t' || next() == '\n' || next() == '\r') ++at_;
  }
  bool take(char c) {
    skip_space();
    if (next() != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view literal, Node& out, std::int32_t kind) {
    if (text_.compare(at_, literal.size(), literal) != 0) return false;
    at_ += literal.size();
    out.kind = kind;
    return true;
  }

  bool parse(Node& out, int depth) {
    skip_space();
    if (depth > kDepthMax) return false;
    switch (next()) {
      case 'n': return word("null", out, HOOKHOST_VALUE_NULL);
      case 't': return word("true", out, HOOKHOST_VALUE_TRUE);
      case 'f': return word("false", out, HOOKHOST_VALUE_FALSE);
      case '"': out.kind = HOOKHOST_VALUE_TEXT; return parse_text(out.text);
      case '[': return parse_members(out, depth, HOOKHOST_VALUE_ARRAY, ']');
      case '{': return parse_members(out, depth, HOOKHOST_VALUE_OBJECT, '}');
      default: return parse_number(out);
    }
  }

  bool parse_members(Node& out, int depth, std::int32_t kind, char close) {
    const std::size_t begin = at_++;
    out.kind = kind;
    if (!take(close)) {
      do {
        skip_space();
        if (kind == HOOKHOST_VALUE_OBJECT && !(parse_text(out.names.emplace_back()) && take(':'))) return false;
        if (!parse(out.members.emplace_back(), depth + 1)) return false;
      } while (take(','));
      if (!take(close)) return false;
    }
    out.text = text_.substr(begin, at_ - begin);
    return true;
  }

  // -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
  static bool is_number(std::string_view text) {
    const auto skip_digits = [&text] {
      const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
      text.remove_prefix(count);
      return count;
    };
    const auto skip_one_of = [&text](std::string_view characters) {
      if (text.empty() || characters.find(text.front()) == std::string_view::npos) return false;
      text.remove_prefix(1);
      return true;
    };
    skip_one_of("-");
    if (!skip_one_of("0") && skip_digits() == 0) return false;
    if (skip_one_of(".") && skip_digits() == 0) return false;
    if (skip_one_of("eE")) {
      skip_one_of("+-");
      if (skip_digits() == 0) return false;
    }
    return text.empty();
  }

  bool parse_number(Node& out) {
    const std::size_t begin = at_;
    while (std::string_view("+-.eE0123456789").find(next()) != std::string_view::npos && next() != '\0') ++at_;
    const std::string digits = text_.substr(begin, at_ - begin);
    if (!is_number(digits)) return false;
    char* end = nullptr;
    out.kind = HOOKHOST_VALUE_NUMBER;
    out.number = std::strtod(digits.c_str(), &end);
    if (digits.find_first_of(".eE") == std::string::npos) {
      errno = 0;
      out.integer = std::strtoll(digits.c_str(), &end, 10);
      if (errno == 0) out.kind = HOOKHOST_VALUE_INTEGER;
    }
    return true;
  }

  bool parse_text(std::string& out) {
    if (next() != '"') return false;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
        continue;
      }
      constexpr std::string_view kNames = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
      ++at_;
      if (const auto found = kNames.find(next()); found != std::string_view::npos && next() != '\0') {
        out += kMeant[found];
      } else if (next() != 'u' || !parse_code_point(out)) {
        return false;
      }
    }
    return false;
  }

  // At the 'u'; ends at the last digit.
  bool parse_code_point(std::string& out) {
    std::uint32_t code = 0;
    if (!parse_four(code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      std::uint32_t low = 0;
      if (text_.compare(at_ + 1, 2, "\\u") != 0) return false;
      at_ += 2;
      if (!parse_four(low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      return false;
    }
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | (code >> 6)), put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      put(0xE0 | (code >> 12)), put(0x80 | ((code >> 6) & 0x3F)), put(0x80 | (code & 0x3F));
    } else {
      put(0xF0 | (code >> 18)), put(0x80 | ((code >> 12) & 0x3F)), put(0x80 | ((code >> 6) & 0x3F)), put(0x80 | (code & 0x3F));
    }
    return true;
  }
  bool parse_four(std::uint32_t& code) {
    for (int i = 0; i < 4; ++i) {
      ++at_;
      const char c = next();
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) return false;
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    return true;
  }

  const std::string text_;
  std::size_t at_ = 0;
  Node root_;
  bool valid_ = false;
};

}  // namespace hookhost::testing

#endif
