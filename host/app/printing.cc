#include "app/printing.h"

#include <algorithm>

#include "base/printable.h"

namespace hookhost::app {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(json::string_view(member.data(), member.size()));
  if (value == nullptr || value->is_null()) return "-";
  if (const auto* text = value->if_string()) return printable(std::string_view(text->data(), text->size()));
  if (value->is_double()) {
    char out[32];
    std::snprintf(out, sizeof out, "%.1f", value->get_double());
    return out;
  }
  return printable(json::serialize(*value));
}

void print_lines(std::ostream& out, const json::value& array, const std::vector<std::string>& members) {
  for (const json::value& one : array.as_array()) {
    json::object shown;
    for (const std::string& member : members) shown[member] = one.as_object().at(member);
    out << (members.empty() ? json::serialize(one) : json::serialize(shown)) << '\n';
  }
}

void print_table(std::ostream& out, const json::value& array, const std::vector<std::string>& members) {
  std::vector<std::vector<std::string>> rows{members};
  for (const json::value& one : array.as_array()) {
    auto& row = rows.emplace_back();
    for (const std::string& member : members) row.push_back(text_of(one.as_object(), member));
  }
  std::vector<std::size_t> widths(members.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    out << line << '\n';
  }
}

void print_list(const Context& context, const std::string& text, const std::vector<std::string>& members) {
  const json::value array = json::parse(text);
  if (context.json) {
    print_lines(context.out, array);
  } else {
    print_table(context.out, array, members);
  }
}

}  // namespace hookhost::app
