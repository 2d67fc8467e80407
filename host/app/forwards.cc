#include "app/forwards.h"

#include "app/random_text.h"
#include "base/diagnostics.h"

namespace hookhost::app {
namespace {

constexpr Duration kUnwantedAfter = std::chrono::seconds{10};
constexpr std::size_t kIdSize = 8;

// The person at the command line names the URL: every address is allowed.
endpoints::Endpoint relay(const std::string& id, const std::string& source, const std::string& url) {
  endpoints::Endpoint out;
  out.id = SubscriberId{id};
  out.url = url;
  out.events.push_back(Pattern::of_source(source));
  out.signing = endpoints::Signing::pass_through;
  out.allow_http = true;
  out.allowed_networks = {{IpAddress::v4(0, 0, 0, 0), 0}, {{.v6 = true, .bytes = {}}, 0}};
  return out;
}

}  // namespace

Result<std::string> Forwards::begin(const std::string& source, const std::string& url, const delivery::StartAt& from) {
  const std::string id = std::string(kPrefix) + random_text(kIdSize);
  const auto endpoint = relay(id, source, url);
  HOOKHOST_CHECK(endpoints::check(endpoint));
  HOOKHOST_TRY(const auto accepted, runner_.accept(id, from));
  static_cast<void>(accepted);
  {
    const std::scoped_lock lock(mutex_);
    all_.emplace(id, Forward{source, endpoint, clock_.wall(), clock_.monotonic()});
  }
  HOOKHOST_CHECK(runner_.run(endpoint));
  return id;
}

Result<> Forwards::keep(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const auto found = all_.find(id);
  if (found == all_.end()) return fail(ErrorCode::not_found, "nothing is forwarded under '" + id + "' any more");
  found->second.wanted_at = clock_.monotonic();
  return success();
}

Result<> Forwards::end(const std::string& id) {
  {
    const std::scoped_lock lock(mutex_);
    if (all_.erase(id) == 0) return fail(ErrorCode::not_found, "nothing is forwarded under '" + id + "'");
  }
  return runner_.forget(id);
}

void Forwards::end_unwanted() {
  std::vector<std::string> unwanted;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, forward] : all_) {
      if (clock_.monotonic() - forward.wanted_at > kUnwantedAfter) unwanted.push_back(id);
    }
  }
  for (const std::string& id : unwanted) {
    if (const auto ended = end(id); !ended) diagnose(Level::warn, "app", "a forward could not be ended: " + ended.error().message, {{"subscriber", id}});
  }
}

std::optional<Forward> Forwards::find(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = all_.find(id);
  return found == all_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Forward> Forwards::all() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Forward> out;
  for (const auto& [id, forward] : all_) out.push_back(forward);
  return out;
}

}  // namespace hookhost::app
