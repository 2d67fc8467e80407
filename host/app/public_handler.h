// Joins the public listener to ingest: a path finds a source, a body becomes an answer when it is durable. What is under /v1/ goes to the API.
#pragma once

#include "http/handler.h"
#include "ingest/ingest.h"

namespace hookhost::app {

class PublicHandler final : public http::Handler {
 public:
  // `v1` may be none: then there is nothing under /v1/.
  explicit PublicHandler(ingest::Ingest& ingest, http::Handler* v1 = nullptr) : ingest_(ingest), v1_(v1) {}
  [[nodiscard]] http::HeadVerdict on_head(const http::RequestHead& head) override;
  void on_request(http::Request&& request, std::shared_ptr<const void> context, http::Responder responder) override;

 private:
  [[nodiscard]] bool is_for_v1(const http::RequestHead& head) const;

  ingest::Ingest& ingest_;
  http::Handler* v1_;
};

}  // namespace hookhost::app
