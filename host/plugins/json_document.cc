#include "plugins/json_document.h"

#include <boost/json.hpp>
#include <map>

namespace hookhost::plugins {

namespace json = boost::json;

struct JsonDocument::Parsed {
  json::value root;
  bool ok = false;
  std::map<const json::value*, std::string> texts;  // arrays and objects that were asked for, each written out once
};

JsonDocument::JsonDocument(std::string_view text) : text_(text) {}
JsonDocument::~JsonDocument() = default;

void JsonDocument::find(std::string_view pointer, hookhost_value& out) {
  out = hookhost_value{};
  out.text = {"", 0};
  if (!parsed_) {
    parsed_ = std::make_unique<Parsed>();
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = 128;
    parsed_->root = json::parse(json::string_view(text_.data(), text_.size()), error, {}, options);
    parsed_->ok = !error;
  }
  if (!parsed_->ok) return;
  boost::system::error_code missing;
  const json::value* value = parsed_->root.find_pointer(json::string_view(pointer.data(), pointer.size()), missing);
  if (value == nullptr || missing) return;
  const auto set_text = [&](std::string_view text) { out.text = {text.data(), text.size()}; };
  switch (value->kind()) {
    case json::kind::null: out.kind = HOOKHOST_VALUE_NULL; break;
    case json::kind::bool_: out.kind = value->get_bool() ? HOOKHOST_VALUE_TRUE : HOOKHOST_VALUE_FALSE; break;
    case json::kind::int64:
      out.kind = HOOKHOST_VALUE_INTEGER;
      out.integer = value->get_int64();
      out.number = static_cast<double>(out.integer);
      break;
    case json::kind::uint64:  // above what int64_t holds
      out.kind = HOOKHOST_VALUE_NUMBER;
      out.number = static_cast<double>(value->get_uint64());
      break;
    case json::kind::double_:
      out.kind = HOOKHOST_VALUE_NUMBER;
      out.number = value->get_double();
      break;
    case json::kind::string:
      out.kind = HOOKHOST_VALUE_TEXT;
      set_text(std::string_view(value->get_string().c_str(), value->get_string().size()));
      break;
    case json::kind::array:
    case json::kind::object: {
      out.kind = value->is_array() ? HOOKHOST_VALUE_ARRAY : HOOKHOST_VALUE_OBJECT;
      const auto [written, is_new] = parsed_->texts.try_emplace(value);
      if (is_new) written->second = json::serialize(*value);
      set_text(written->second);
      break;
    }
  }
}

}  // namespace hookhost::plugins
