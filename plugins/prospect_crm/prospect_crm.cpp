// prospect_crm: prospects, chats and their messages from Kakiyo's events, as SQLite tables that any tool can read.
//
// The host's checkpoint token is committed in the same transaction as the tables; a start tells the host the tables' token. So each event counts
// once, whatever crashes when. Replays are safe: an older event never overwrites a newer one.
#include <hookhost/plugin.hpp>

#include <cstdio>
#include <ctime>
#include <optional>

#include "projection.h"

namespace prospect_crm {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["path"], "additionalProperties": false,
  "properties": {"path": {"type": "string", "minLength": 1, "description": "The database; relative to the configuration's directory"}}
})";

// "2023-06-15T10:30:00Z" and "2025-07-15T10:30:00.000Z", the two forms that Kakiyo documents; nanoseconds since 1970.
std::optional<std::int64_t> parse_time(std::string_view text) {
  std::tm parts{};
  int consumed = 0;
  const std::string copy(text.substr(0, 40));
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min,
                  &parts.tm_sec, &consumed) != 6) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  std::int64_t ns = static_cast<std::int64_t>(timegm(&parts)) * 1'000'000'000;
  std::string_view rest = std::string_view(copy).substr(static_cast<std::size_t>(consumed));
  if (rest.starts_with('.')) {
    std::int64_t scale = 100'000'000;
    for (rest.remove_prefix(1); !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; rest.remove_prefix(1), scale /= 10) {
      ns += (rest.front() - '0') * scale;
    }
  }
  return rest == "Z" ? std::optional(ns) : std::nullopt;
}

class ProspectCrm {
 public:
  static constexpr hookhost::Info info{.id = "org.hookhost.prospect_crm",
                                       .version = "0.1.0",
                                       .events = {"linkedin.*", "prospect.*"},
                                       .name = "Prospect CRM",
                                       .description = "Prospects, chats and messages of Kakiyo's events as SQLite tables",
                                       .config_schema = kSchema,
                                       .on_replay = hookhost::OnReplay::safe};

  ProspectCrm(hookhost::Host, const hookhost::Config& config) : path_(config.path("/path")) {}

  std::uint64_t start(const hookhost::Resume& resume) {
    projection_.emplace(path_);
    if (resume.reset) projection_->reset();
    return std::max(projection_->token(), resume.token);
  }

  hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call) {
    const auto text = [&](std::string_view pointer) { return call.json(pointer).text_or(""); };
    Change change;
    change.type = event.type();
    change.team = event.team();
    change.agent = text("/data/agentId");
    change.campaign = text("/data/campaignId");
    change.chat = text("/data/chatId");
    change.prospect = text("/data/prospectId");
    change.message = text("/data/message");
    change.offset = event.offset();
    auto at = parse_time(text("/data/timestamp"));
    if (!at) at = parse_time(text("/timestamp"));
    change.at_ns = at.value_or(event.received_at().time_since_epoch().count());
    try {
      return projection_->apply(change) ? hookhost::ok() : hookhost::ignored();
    } catch (const StorageError& error) {
      if (error.unavailable) return hookhost::unavailable(error.what());
      throw;
    }
  }

  void checkpoint(const hookhost::Checkpoint& point) { projection_->commit(point.token); }

 private:
  std::string path_;
  std::optional<Projection> projection_;
};

}  // namespace
}  // namespace prospect_crm

HOOKHOST_PLUGIN(prospect_crm::ProspectCrm)
