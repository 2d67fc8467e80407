#include "ingest/publish.h"

#include "ingest/describe.h"
#include "ingest/ingest.h"

namespace hookhost::ingest {
namespace {

constexpr Duration kWindow = std::chrono::hours{24};
constexpr std::string_view kProvider = "kakiyo";
constexpr std::string_view kIdempotencyKey = "Idempotency-Key";

// Team and key end with a zero byte, which neither holds: two pairs never read as the same text.
std::string digest_of(const Publication& publication) {
  signing::Sha256 digest;
  digest.update(config::kPublishedSource);
  for (const std::string_view part : {kIdempotencyKey, std::string_view(publication.team), std::string_view(publication.idempotency_key)}) {
    digest.update(std::string_view("\0", 1));
    digest.update(part);
  }
  return stored_mark(digest.finish(), publication.request);
}

}  // namespace

Source published_source() {
  Source out;
  out.settings.name = config::kPublishedSource;
  out.settings.provider = kProvider;
  out.settings.scheme = kProvider;
  out.state = std::make_shared<SourceState>(DuplicatesOptions{.window = kWindow});
  return out;
}

void Ingest::publish(Publication publication, Answer answer) {
  // Only for the key: the type was judged and the team is known.
  auto described = describe(published_.settings, {}, publication.body);
  event_log::Event event;
  event.received_at = clock_.wall();
  event.source = published_.settings.name;
  event.provider = published_.settings.provider;
  if (described) event.key = std::move(described.value().key);
  event.content_type = "application/json";
  event.headers.push_back({"Content-Type", event.content_type});
  event.verified = true;
  if (!publication.idempotency_key.empty()) {
    event.digest = digest_of(publication);
    event.headers.push_back({std::string(kIdempotencyKey), publication.idempotency_key});
  }
  event.type = std::move(publication.type);
  event.team = std::move(publication.team);
  event.body = std::move(publication.body);
  append(std::move(event), published_.state, publication.request_id, std::move(answer));
}

}  // namespace hookhost::ingest
