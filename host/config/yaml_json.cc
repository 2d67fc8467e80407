#include "config/yaml_json.h"

#include <boost/json.hpp>
#include <charconv>
#include <regex>

namespace hookhost::config {
namespace {

namespace json = boost::json;

constexpr int kDepthMax = 32;
constexpr std::size_t kNodesMax = 100'000;  // aliases can make a few lines stand for billions of values
const std::string kCoreTag = "tag:yaml.org,2002:";

json::value scalar_value(const YAML::Node& node, const std::string& path, bool expand, Problems& problems) {
  const std::string& text = node.Scalar();
  if (expand && text.find("${") != std::string::npos) return json::value(expand_variables(node, path, problems).value_or(""));
  if (node.Tag() == "!" || node.Tag() == kCoreTag + "str") return json::value(text);  // quoted, or said to be a text
  if (!node.Tag().empty() && node.Tag() != "?") {
    problems.add(node, path, "has a tag; only !!str is taken");
    return nullptr;
  }
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  static const std::regex decimal("[-+]?[0-9]+"), hexadecimal("0x[0-9a-fA-F]+"), octal("0o[0-7]+"),
      real("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?"), not_finite("[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)");
  if (std::regex_match(text, not_finite)) {
    problems.add(node, path, "infinity and not-a-number cannot be written in JSON; use a number or a quoted text");
    return nullptr;
  }
  const bool hex = std::regex_match(text, hexadecimal), oct = std::regex_match(text, octal);
  if (hex || oct || std::regex_match(text, decimal)) {
    const char* begin = text.data() + (hex || oct ? 2 : text.front() == '+' ? 1 : 0);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number, hex ? 16 : oct ? 8 : 10);
    if (error == std::errc{} && end == text.data() + text.size()) return number;
    problems.add(node, path, "is a whole number beyond 64 bits; quote it to pass it as a text");
    return nullptr;
  }
  if (std::regex_match(text, real)) {
    double number = 0;
    const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
    if (std::from_chars(begin, text.data() + text.size(), number).ec == std::errc{}) return number;
    problems.add(node, path, "is a number that a double cannot hold; quote it to pass it as a text");
    return nullptr;
  }
  return json::value(text);
}

json::value to_value(const YAML::Node& node, const std::string& path, bool expand, Problems& problems, int depth, std::size_t& left) {
  if (left == 0) return nullptr;
  if (--left == 0) {
    problems.add(node, path, "stands for more than " + std::to_string(kNodesMax) + " values; check its aliases");
    return nullptr;
  }
  if (depth > kDepthMax) {
    problems.add(node, path, "is nested too deeply");
    left = 0;  // one line is enough: an alias that holds itself would say it without end
    return nullptr;
  }
  switch (node.Type()) {
    case YAML::NodeType::Sequence: {
      json::array out;
      std::size_t index = 0;
      for (const auto& element : node) out.push_back(to_value(element, path + "[" + std::to_string(index++) + "]", expand, problems, depth + 1, left));
      return out;
    }
    case YAML::NodeType::Map: {
      json::object out;
      for (const auto& pair : node) {
        const std::string key = pair.first.Scalar();
        if (!pair.first.IsScalar() || key == "<<") {
          problems.add(pair.first, path, key == "<<" ? "merge keys (<<) are not taken; write the keys out" : "wants texts as keys");
          continue;
        }
        if (out.contains(key)) problems.add(pair.first, path + "." + key, "is there twice; keep one");
        out[key] = to_value(pair.second, path + "." + key, expand, problems, depth + 1, left);
      }
      return out;
    }
    case YAML::NodeType::Scalar: return scalar_value(node, path, expand, problems);
    default: return nullptr;
  }
}

}  // namespace

std::string yaml_to_json(const YAML::Node& node, const std::string& path, bool expand, Problems& problems) {
  std::size_t left = kNodesMax;
  return json::serialize(to_value(node, path, expand, problems, 0, left));
}

}  // namespace hookhost::config
