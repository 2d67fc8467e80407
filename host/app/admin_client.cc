#include "app/admin_client.h"

#include <boost/json.hpp>

#include "api/admin_api.h"
#include "app/host.h"
#include "base/bytes.h"
#include "base/diagnostics.h"

namespace hookhost::app {
namespace {

std::optional<ErrorCode> code_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::cancelled); ++i) {
    if (to_string(static_cast<ErrorCode>(i)) == name) return static_cast<ErrorCode>(i);
  }
  return std::nullopt;
}

Error error_of(const http_client::HttpAnswer& answer) {
  boost::system::error_code broken;
  const auto parsed = boost::json::parse(answer.body, broken);
  const auto* object = broken ? nullptr : parsed.if_object();
  const auto text = [&](const char* name) {
    const auto* member = object == nullptr ? nullptr : object->if_contains(name);
    return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
  };
  const ErrorCode code = code_named(text("error")).value_or(ErrorCode::internal_error);
  if (text("message").empty()) return {code, "the host answered " + std::to_string(answer.status)};
  return {code, code == ErrorCode::internal_error ? text("message") + ' ' + text("request_id") : text("message")};
}

}  // namespace

AdminClient::AdminClient(config::Config config) : config_(std::move(config)) {}
AdminClient::~AdminClient() = default;

Result<std::unique_ptr<AdminClient>> AdminClient::make(const Context& context) {
  HOOKHOST_TRY(const std::string path, config::find_config(context.config_path));
  HOOKHOST_TRY(auto config, config::load(path, {.all = false, .source = {}}));
  return std::unique_ptr<AdminClient>(new AdminClient(std::move(config)));
}

Result<std::string> AdminClient::call_remote(const std::string& method, const std::string& path, const std::string& query, const std::string& body) {
  std::string token;
  if (config_.admin.token) {
    token = config_.admin.token->reveal();
  } else if (auto file = os::read_file(os::local_file_system(), os::join(config_.data_dir, "admin.token"), 4096)) {
    token = file.value().substr(0, file.value().find('\n'));
  }
  http_client::HttpRequest request;
  request.method = method;
  request.url = "http://" + config_.admin.address + path + (query.empty() ? "" : "?" + query);
  request.headers = {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}};
  request.body = body;
  request.timeout = std::chrono::minutes{10};  // a replay's plan reads the whole event log
  HOOKHOST_TRY(auto answer, http_.send(request));
  if (answer.status == 200) return std::move(answer.body);
  return fail(error_of(answer));
}

Result<std::string> AdminClient::call(const std::string& method, const std::string& path, const std::string& query, const std::string& body) {
  if (!host_) {
    auto answer = call_remote(method, path, query, body);
    if (answer || answer.error().code != ErrorCode::unreachable) return answer;
    configure_diagnostics({.level = Level::error});
    auto opened = Host::open(config_, {});
    if (!opened && opened.error().code == ErrorCode::busy) {
      return fail(ErrorCode::unreachable, "a host uses " + config_.data_dir + ", but does not answer at " + config_.admin.address);
    }
    if (!opened) return fail(opened.error());
    host_ = std::move(opened.value());
    api_ = std::make_unique<api::AdminApi>(*host_);
  }
  return api_->handle({method, path, query, body});
}

}  // namespace hookhost::app
