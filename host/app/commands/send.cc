#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>
#include <thread>

#include "api/example_events.h"
#include "app/command.h"
#include "app/number_option.h"
#include "app/rate_option.h"
#include "app/secret_option.h"
#include "app/text_option.h"
#include "base/bytes.h"
#include "base/event_id.h"
#include "base/printable.h"
#include "config/config.h"
#include "http_client/http_client.h"
#include "os/file_system.h"
#include "signing/sign.h"
#include "signing/verify.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kBodyBytesMax = 64 << 20;

struct SendOptions {
  std::vector<std::string> positional;  // SOURCE TYPE, or TYPE with --url
  std::string url, scheme, data, rate;
  SecretOption secret;
  std::vector<std::string> set;
  std::uint64_t count = 1;
};

struct Target {
  std::string url;
  signing::SchemeOptions scheme;
  std::string secret;  // empty: unsigned
  std::string type_header, id_header;
  std::string kind;  // the scheme's name, of unsigned sources too; empty: none
  std::string type_pointer, id_pointer;  // where the body says them
};

signing::SchemeOptions scheme_of(const config::Source& source, signing::Scheme scheme) {
  return {.scheme = scheme,
          .tolerance = source.tolerance,
          .header = source.header,
          .algorithm = source.algorithm == "sha1" ? signing::Algorithm::sha1 : source.algorithm == "sha512" ? signing::Algorithm::sha512 : signing::Algorithm::sha256,
          .encoding = source.encoding == "base64" ? signing::Encoding::base64 : signing::Encoding::hex,
          .prefix = source.prefix};
}

std::string header_selector(const std::string& selector) { return selector.starts_with("header:") ? selector.substr(7) : std::string(); }
std::string pointer_selector(const std::string& selector) { return selector.starts_with('/') ? selector : std::string(); }

// A receiver may have let an older secret expire already.
const std::string& current_secret(const config::Source& source, WallTime now) {
  for (const auto& secret : source.secrets) {
    if (!secret.until || now < *secret.until) return secret.value.reveal();
  }
  return source.secrets.front().value.reveal();
}

// Where each provider itself says the type and the id.
void fill_places(Target& out) {
  if (out.kind == "github") {
    out.type_header = "X-GitHub-Event";
    out.id_header = "X-GitHub-Delivery";
  } else if (out.kind == "kakiyo") {
    out.type_pointer = "/event";
  } else {
    out.type_pointer = "/type";
    if (out.kind == "stripe") out.id_pointer = "/id";
  }
}

Result<const config::Source*> find_source(const config::Config& config, const std::string& name) {
  const auto found = config.sources.find(name);
  if (found != config.sources.end()) return &found->second;
  std::string names;
  for (const auto& [known, source] : config.sources) names += (names.empty() ? "" : ", ") + known;
  return fail(ErrorCode::not_found, "there is no source '" + name + "' in the configuration; it has: " + names);
}

Result<Target> configured(const Context& context, const std::string& name) {
  HOOKHOST_TRY(const std::string path, config::find_config(context.config_path));
  HOOKHOST_TRY(const auto config, config::load(path, {.all = false, .source = name}));
  HOOKHOST_TRY(const auto* source, find_source(config, name));
  Target out;
  const std::string& address = config.listen.address;
  out.url = std::string(config.listen.tls ? "https://" : "http://") + address + source->path;
  if (!source->is_unsigned) {
    HOOKHOST_TRY(const auto scheme, signing::parse_scheme(source->scheme));
    out.scheme = scheme_of(*source, scheme);
    out.secret = current_secret(*source, system_clock().wall());
  }
  out.kind = source->scheme;
  fill_places(out);
  if (!source->type.empty()) {
    out.type_header = header_selector(source->type);
    out.type_pointer = pointer_selector(source->type);
  }
  if (!source->id.empty()) {
    out.id_header = header_selector(source->id);
    out.id_pointer = pointer_selector(source->id);
  }
  return out;
}

Result<Target> given(const SendOptions& options) {
  Target out;
  out.url = options.url;
  HOOKHOST_TRY(out.scheme.scheme, signing::parse_scheme(options.scheme));
  if (out.scheme.scheme == signing::Scheme::hmac) {
    return fail(ErrorCode::usage, "hmac wants a source of the configuration, which says its header and encoding: hookhost send SOURCE TYPE");
  }
  out.kind = options.scheme;
  fill_places(out);
  if (!options.secret.given()) return fail(ErrorCode::usage, "--url wants --secret-env VAR or --secret-file FILE");
  HOOKHOST_TRY(out.secret, read_secret(options.secret));
  return out;
}

// A text at that JSON pointer; objects on the way are made. A place inside a list or behind a text is left alone.
void put(json::value& body, std::string_view pointer, const std::string& text) {
  json::value* place = &body;
  while (!pointer.empty() && place->is_object()) {
    pointer.remove_prefix(1);
    const auto slash = pointer.find('/');
    const std::string_view name = pointer.substr(0, slash);
    pointer.remove_prefix(name.size());
    place = &place->get_object()[json::string_view(name.data(), name.size())];
    if (place->is_null() && !pointer.empty()) place->emplace_object();
  }
  if (pointer.empty()) *place = text;
}

// What is sent for a type that there is no example of.
json::object plain_body(const Target& target) {
  if (target.kind == "stripe") return {{"object", "event"}, {"data", {{"object", {{"id", "obj_1"}}}}}};
  return {{"timestamp", ""}, {"data", json::object{}}};
}

// The body says the type that the command line names, whatever its example or --data says.
void set_type(const Target& target, const std::string& type, json::value& body) {
  if (!body.is_object()) return;
  const auto dot = type.find('.');
  if (target.kind == "github" && target.type_header == "X-GitHub-Event" && dot != std::string::npos) {
    body.get_object()["action"] = type.substr(dot + 1);
  }
  if (!target.type_pointer.empty()) put(body, target.type_pointer, type);
}

Result<json::value> base_body(const Target& target, const SendOptions& options, const std::string& type) {
  std::string text;
  if (!options.data.empty()) {
    HOOKHOST_TRY(text, text_of_option(options.data));
  } else if (const api::ExampleEvent* example = target.kind.empty() ? nullptr : api::find_example(target.kind, type)) {
    text = example->body;
  } else {
    text = json::serialize(plain_body(target));
  }
  boost::system::error_code broken;
  auto parsed = json::parse(text, broken);
  if (broken) return fail(ErrorCode::usage, "--data is no JSON");
  set_type(target, type, parsed);
  for (const std::string& assignment : options.set) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos) return fail(ErrorCode::usage, "--set wants PATH=VALUE, such as data.chatId=chat_1");
    std::string pointer = assignment.substr(0, equals);
    if (!pointer.starts_with('/')) {
      for (char& c : pointer) c = c == '.' ? '/' : c;
      pointer.insert(pointer.begin(), '/');
    }
    // The place itself may be new, what holds it must be there.
    const auto last = pointer.rfind('/');
    boost::system::error_code missing;
    json::value* parent = parsed.find_pointer(pointer.substr(0, last), missing);
    if (parent == nullptr || !parent->is_object()) return fail(ErrorCode::usage, "--set " + assignment + ": there is no such place in the body");
    parent->get_object()[pointer.substr(last + 1)] = assignment.substr(equals + 1);
  }
  return parsed;
}

// Fresh times and ids in each event, so that none is a duplicate of the one before.
std::string freshen(const Target& target, json::value body, const std::string& id, WallTime now) {
  if (auto* object = body.if_object()) {
    const std::string time = to_rfc3339(now);
    if (object->contains("timestamp")) (*object)["timestamp"] = time;
    if (auto* data = object->if_contains("data"); data != nullptr && data->is_object() && data->get_object().contains("timestamp")) {
      data->get_object()["timestamp"] = time;
    }
    if (!target.id_pointer.empty()) put(body, target.id_pointer, id);
  }
  return json::serialize(body);
}

CommandResult send(const Context& context, const SendOptions& options) {
  const bool direct = !options.url.empty();
  if (options.positional.size() != (direct ? 1U : 2U)) return fail(ErrorCode::usage, direct ? "--url wants TYPE" : "send wants SOURCE and TYPE");
  const std::string& type = options.positional.back();
  Result<Target> target_result = direct ? given(options) : configured(context, options.positional.front());
  HOOKHOST_TRY(const Target target, std::move(target_result));
  HOOKHOST_TRY(const json::value body, base_body(target, options, type));
  HOOKHOST_TRY(const double rate, rate_of(options.rate));
  http_client::HttpClient client;
  EventIdGenerator ids;
  std::uint64_t refused = 0;
  const auto begun = system_clock().monotonic();
  for (std::uint64_t n = 0; n < options.count; ++n) {
    if (rate > 0) std::this_thread::sleep_until(begun + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(static_cast<double>(n) / rate)));
    const WallTime now = system_clock().wall();
    const std::string id = "msg_" + ids.next(now).value.substr(4);
    http_client::HttpRequest request;
    request.method = "POST";
    request.url = target.url;
    request.body = freshen(target, body, id, now);
    request.headers = {{"Content-Type", "application/json"}};
    if (!target.type_header.empty()) request.headers.add(target.type_header, target.kind == "github" ? type.substr(0, type.find('.')) : type);
    if (!target.id_header.empty()) request.headers.add(target.id_header, id);
    if (!target.secret.empty()) {
      HOOKHOST_TRY(auto signature, signing::sign(target.scheme, target.secret, id, now, request.body));
      for (const auto& [name, value] : signature) request.headers.add(name, value);
    }
    HOOKHOST_TRY(const auto answer, client.send(request));
    if (answer.status / 100 != 2) ++refused;
    if (options.count <= 10 || context.json || answer.status / 100 != 2) context.out << printable(answer.body, Lines::kept) << '\n';
    if (refused > 10) return fail(ErrorCode::internal_error, "more than 10 events were refused; sending is ended");
  }
  if (options.count > 10 && !context.json) context.out << options.count - refused << " events accepted\n";
  return refused == 0 ? 0 : 1;
}

struct VerifyOptions {
  std::string source, body;
  std::vector<std::string> headers;
};

CommandResult verify(const Context& context, const VerifyOptions& options) {
  HOOKHOST_TRY(const std::string path, config::find_config(context.config_path));
  HOOKHOST_TRY(const auto config, config::load(path, {.all = false, .source = options.source}));
  HOOKHOST_TRY(const auto* source, find_source(config, options.source));
  if (source->is_unsigned) return fail(ErrorCode::usage, "the source is unsigned; there is nothing to verify");
  HOOKHOST_TRY(const auto scheme, signing::parse_scheme(source->scheme));
  HOOKHOST_TRY(const std::string body, os::read_file(os::local_file_system(), options.body, kBodyBytesMax));
  std::vector<signing::HeaderView> headers;
  for (const std::string& header : options.headers) {
    const auto colon = header.find(':');
    if (colon == std::string::npos) return fail(ErrorCode::usage, "--header wants 'NAME: VALUE'");
    headers.push_back({std::string_view(header).substr(0, colon), trim(std::string_view(header).substr(colon + 1))});
  }
  std::vector<signing::Secret> secrets;
  for (const auto& secret : source->secrets) secrets.push_back({secret.value.reveal(), secret.until});
  const auto options_of_scheme = scheme_of(*source, scheme);
  const WallTime now = system_clock().wall();
  const auto verdict = signing::verify(options_of_scheme, secrets, headers, body, now);
  if (context.json) {
    context.out << json::serialize(json::object{{"valid", verdict.ok},
                                                {"error", verdict.ok ? json::value(nullptr) : json::value(to_string(verdict.refusal))},
                                                {"why", verdict.why}})
                << '\n';
  } else {
    context.out << printable(signing::explain(options_of_scheme, secrets, headers, body, now), Lines::kept);
  }
  return verdict.ok ? 0 : 1;
}

}  // namespace

void add_send(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* command = root.add_subcommand("send", "Send a signed webhook, as the provider would");
  auto options = std::make_shared<SendOptions>();
  command->add_option("SOURCE_TYPE", options->positional, "SOURCE and TYPE; with --url only TYPE")->required();
  command->add_option("--url", options->url, "Send there instead of to a configured source");
  command->add_option("--scheme", options->scheme, "With --url: kakiyo, github, standard-webhooks or stripe");
  add_secret_options(command, options->secret);
  command->add_option("--set", options->set, "PATH=VALUE: change one text of the body, such as data.chatId=chat_1")->allow_extra_args(false);
  command->add_option("--data", options->data, "The body: JSON, or @FILE");
  add_number(command, "--count", options->count, "How many");
  command->add_option("--rate", options->rate, "At most N/s");
  command->callback([&, options] { chosen.run = [&, options] { return send(context, *options); }; });
}

void add_verify(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* command = root.add_subcommand("verify", "Check a webhook's signature and say why it is right or wrong");
  auto options = std::make_shared<VerifyOptions>();
  command->add_option("--source", options->source, "The source whose secrets count")->required();
  command->add_option("--header", options->headers, "'NAME: VALUE', as received")->allow_extra_args(false);
  command->add_option("--body", options->body, "The file with the body's exact bytes")->required();
  command->callback([&, options] { chosen.run = [&, options] { return verify(context, *options); }; });
}

}  // namespace hookhost::app
