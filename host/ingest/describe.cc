#include "ingest/describe.h"

#include <boost/json.hpp>
#include <charconv>

#include "base/bytes.h"
#include "base/pattern.h"

namespace hookhost::ingest {
namespace {

namespace json = boost::json;

constexpr std::size_t kNameBytesMax = 512;  // of a type, team, key or id; longer ones are no names

std::string scalar(const json::value* value) {
  if (value == nullptr) return {};
  std::string out;
  if (const auto* text = value->if_string()) {
    out.assign(text->data(), text->size());
  } else if (value->is_int64() || value->is_uint64()) {
    out = json::serialize(*value);
  }
  return out.size() > kNameBytesMax ? std::string() : out;
}

std::string at(const json::value& root, std::string_view pointer) {
  boost::system::error_code missing;
  return scalar(root.find_pointer(json::string_view(pointer.data(), pointer.size()), missing));
}

// GitHub can send the JSON as a form: payload=<url-encoded JSON>.
std::string form_payload(std::string_view body) {
  constexpr std::string_view kField = "payload=";
  if (!body.starts_with(kField)) return {};
  body.remove_prefix(kField.size());
  body = body.substr(0, body.find('&'));
  std::string out;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '%') {
      const auto byte = from_hex(body.substr(i + 1, 2));
      if (!byte || byte->size() != 1) return {};
      out += *byte;
      i += 2;
    } else {
      out += body[i] == '+' ? ' ' : body[i];
    }
  }
  return out;
}

bool parse(std::string_view body, json::value& out) {
  json::parse_options options;
  options.max_depth = 64;
  boost::system::error_code error;
  out = json::parse(json::string_view(body.data(), body.size()), error, {}, options);
  return !error;
}

constexpr std::string_view kHeader = "header:";

// "header:NAME" or a JSON pointer.
Result<std::string> select(std::string_view selector, std::span<const signing::HeaderView> headers, const json::value& root) {
  if (!selector.starts_with(kHeader)) return at(root, selector);
  HOOKHOST_TRY(const auto value, single_header(headers, selector.substr(kHeader.size())));
  return value.size() > kNameBytesMax ? std::string() : std::string(value);
}

Result<Description> describe_provider(const config::Source& source, std::span<const signing::HeaderView> headers, const json::value& root) {
  Description out;
  if (source.scheme == "kakiyo") {
    out.type = at(root, "/event");
    out.key = at(root, "/data/chatId");
    if (out.key.empty()) out.key = at(root, "/data/prospectId");
    out.team = at(root, "/teamId");
    if (out.team.empty()) out.team = at(root, "/team/id");
  } else if (source.scheme == "github") {
    HOOKHOST_TRY(const auto event, single_header(headers, "X-GitHub-Event"));
    HOOKHOST_TRY(const auto id, single_header(headers, "X-GitHub-Delivery"));
    const std::string action = at(root, "/action");
    out.type = action.empty() || event.empty() ? std::string(event) : std::string(event) + "." + action;
    out.key = at(root, "/repository/full_name");
    out.id = id;
  } else if (source.scheme == "stripe") {
    out.type = at(root, "/type");
    out.key = at(root, "/data/object/id");
    out.id = at(root, "/id");
  } else if (source.scheme == "standard-webhooks") {
    HOOKHOST_TRY(const auto id, single_header(headers, "webhook-id"));
    out.type = at(root, "/type");
    out.id = id;
  } else {
    out.type = at(root, "/type");
    if (out.type.empty()) out.type = at(root, "/event");
  }
  return out;
}

}  // namespace

Result<std::string_view> single_header(std::span<const signing::HeaderView> headers, std::string_view name) {
  std::string_view found;
  bool any = false;
  for (const signing::HeaderView& header : headers) {
    if (!equals_ignoring_case(header.name, name)) continue;
    if (any) return fail(ErrorCode::invalid_request, "there are two " + std::string(name) + " headers; send one");
    found = header.value;
    any = true;
  }
  return found;
}

Result<Description> describe(const config::Source& source, std::span<const signing::HeaderView> headers, std::string_view body) {
  unsigned char memory[8192];  // small bodies need no allocation at all
  json::monotonic_resource arena(memory, sizeof memory);
  json::value root(&arena);
  bool parsed = false;
  {
    json::parse_options options;
    options.max_depth = 64;
    boost::system::error_code error;
    root = json::parse(json::string_view(body.data(), body.size()), error, &arena, options);
    parsed = !error;
  }
  if (!parsed && source.scheme == "github") parsed = parse(form_payload(body), root);
  HOOKHOST_TRY(auto out, describe_provider(source, headers, root));
  if (!source.type.empty()) {
    HOOKHOST_TRY(out.type, select(source.type, headers, root));
  }
  if (!source.key.empty()) {
    HOOKHOST_TRY(out.key, select(source.key, headers, root));
  }
  if (!source.id.empty()) {
    HOOKHOST_TRY(out.id, select(source.id, headers, root));
  }
  const bool is_known = parsed || source.type.starts_with(kHeader);  // a body in XML or a form hides no header
  if (!is_known || out.type.empty() || out.type.starts_with(kOwnTypes) || !is_valid_utf8(out.type)) out.type = kUnparsable;
  return out;
}

}  // namespace hookhost::ingest
