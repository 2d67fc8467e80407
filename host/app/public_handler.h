// Joins the public listener to ingest: a path finds a source, a body becomes an answer when it is durable.
#pragma once

#include "http/handler.h"
#include "ingest/ingest.h"

namespace hookhost::app {

class PublicHandler final : public http::Handler {
 public:
  explicit PublicHandler(ingest::Ingest& ingest) : ingest_(ingest) {}
  [[nodiscard]] http::HeadVerdict on_head(const http::RequestHead& head) override;
  void on_request(http::Request&& request, std::shared_ptr<const void> context, http::Responder responder) override;

 private:
  ingest::Ingest& ingest_;
};

}  // namespace hookhost::app
