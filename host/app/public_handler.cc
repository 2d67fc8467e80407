#include "app/public_handler.h"

#include "api/v1_server.h"

namespace hookhost::app {
namespace {

// What on_head() decided, for the same request's body.
struct Judged {
  std::shared_ptr<const ingest::Sources> sources;
  const ingest::Source* source;
};

constexpr unsigned kRetryAfterSeconds = 2;

}  // namespace

bool PublicHandler::is_for_v1(const http::RequestHead& head) const { return v1_ != nullptr && api::is_v1_path(head.path()); }

http::HeadVerdict PublicHandler::on_head(const http::RequestHead& head) {
  if (is_for_v1(head)) return v1_->on_head(head);
  auto sources = ingest_.sources();
  const ingest::Source* source = sources->find(head.path());
  if (source == nullptr) {
    return http::HeadVerdict::refuse(http::error_response(ErrorCode::unknown_source, "no source has this path; see the sources of the configuration", head.request_id));
  }
  if (head.method != "POST") {
    auto refusal = http::error_response(ErrorCode::method_not_allowed, "send a POST", head.request_id);
    refusal.headers.push_back({"Allow", "POST"});
    return http::HeadVerdict::refuse(std::move(refusal));
  }
  const std::uint64_t bytes_max = source->settings.body_bytes_max;
  return http::HeadVerdict::accept(bytes_max, std::make_shared<Judged>(Judged{std::move(sources), source}));
}

void PublicHandler::on_request(http::Request&& request, std::shared_ptr<const void> context, http::Responder responder) {
  if (is_for_v1(request.head)) return v1_->on_request(std::move(request), std::move(context), std::move(responder));
  const auto& judged = *static_cast<const Judged*>(context.get());
  std::vector<signing::HeaderView> headers;
  headers.reserve(request.head.headers.size());
  for (const auto& header : request.head.headers) headers.push_back({header.name, header.value});
  const std::string* content_type = http::find_header(request.head, "Content-Type");
  ingest::Incoming incoming{headers, content_type == nullptr ? std::string_view{} : std::string_view(*content_type), std::move(request.body),
                            request.head.request_id.value};
  auto shared = std::make_shared<http::Responder>(std::move(responder));
  ingest_.accept(*judged.source, std::move(incoming), [shared, id = request.head.request_id](Result<ingest::Accepted> done) {
    if (done) {
      std::string body = done.value().duplicate ? R"({"status":"duplicate","id":")" : R"({"status":"accepted","id":")";
      body += done.value().id.value;
      body += "\"}";
      return shared->send_json(200, body);
    }
    shared->send(http::error_response(done.error(), id, kRetryAfterSeconds));
  });
}

}  // namespace hookhost::app
