#include "app/admin_client.h"

#include <boost/json.hpp>
#include <thread>

#include "api/admin_api.h"
#include "app/admin_token.h"
#include "app/host.h"
#include "base/bytes.h"
#include "base/diagnostics.h"

namespace hookhost::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration kHolderPatience = 2s;
constexpr Duration kLookAgain = 20ms;

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

// What may come before the first start of a host.
bool registers(const std::string& method, const std::string& path) { return method == "POST" && (path == "/api/endpoints" || path == "/api/team-keys"); }

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
  } else if (const auto stored = stored_admin_token(config_.data_dir); stored && stored.value()) {
    token = *stored.value();
  }
  http_client::HttpRequest request;
  request.method = method;
  request.url = "http://" + address_ + path + (query.empty() ? "" : "?" + query);
  request.headers = {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}};
  request.body = body;
  request.timeout = std::chrono::minutes{10};  // a replay's plan reads the whole event log
  auto answer = http_.send(std::move(request));
  if (!answer && answer.error().code == ErrorCode::unreachable) {
    return fail(ErrorCode::unreachable, "the host of " + config_.data_dir + " does not answer at " + address_);
  }
  HOOKHOST_TRY(auto got, std::move(answer));
  if (got.status == 200) return std::move(got.body);
  Error error = error_of(got);
  if (error.code == ErrorCode::invalid_api_key && config_.admin.token) error.message += "; a changed admin.token takes effect when the host is restarted";
  return fail(std::move(error));
}

// Who holds the data directory's lock is the host that is meant, wherever it listens: the configuration may have been changed since it started.
// False: nobody holds it.
bool AdminClient::find_host() {
  const auto patience_ends = std::chrono::steady_clock::now() + kHolderPatience;
  for (;;) {
    const auto word = os::LockFile::word_of_holder(os::join(config_.data_dir, "LOCK"));
    if (word && !word.value()) return false;
    if (word && !word.value()->empty()) address_ = *word.value();
    // Another command lets go soon. A directory of another user, and a host that could not write there: the configuration is all there is.
    if (!word || std::chrono::steady_clock::now() >= patience_ends) address_ = config_.admin.address;
    if (!address_.empty()) return true;
    std::this_thread::sleep_for(kLookAgain);
  }
}

Result<> AdminClient::open_host(bool may_create) {
  if (!may_create && !os::local_file_system().facts(os::join(config_.data_dir, "LOCK"))) {
    return fail(ErrorCode::not_found, config_.data_dir + " is no data directory: no host has run there yet. Is data_dir in " + config_.file +
                                          " right? hookhost serve makes it");
  }
  configure_diagnostics({.level = Level::error});
  auto opened = Host::open(config_, {});
  if (!opened && opened.error().code == ErrorCode::busy) return fail(ErrorCode::unreachable, "a host is starting in " + config_.data_dir + "; try again");
  HOOKHOST_TRY(host_, std::move(opened));
  api_ = std::make_unique<api::AdminApi>(*host_);
  return success();
}

Result<> AdminClient::require_host() {
  if (api_ || (address_.empty() && !find_host())) {
    return fail(ErrorCode::unreachable, "no host runs in " + config_.data_dir + "; start one, then ask again");
  }
  return success();
}

Result<std::string> AdminClient::call(const std::string& method, const std::string& path, const std::string& query, const std::string& body) {
  if (!api_ && address_.empty() && !find_host()) HOOKHOST_CHECK(open_host(registers(method, path)));
  if (api_) return api_->handle({method, path, query, body});
  return call_remote(method, path, query, body);
}

}  // namespace hookhost::app
