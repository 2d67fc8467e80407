// prospect_crm: prospects, chats and their messages from Kakiyo's events, as SQLite tables that any tool can read.
//
// The host's checkpoint token is committed in the same transaction as the tables; a start tells the host the tables' token. So each event counts
// once, whatever crashes when. Replays are safe: an older event never overwrites a newer one.
#include <hookhost/kakiyo.hpp>
#include <hookhost/plugin.hpp>

#include <optional>

#include "projection.h"

namespace prospect_crm {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["path"], "additionalProperties": false,
  "properties": {"path": {"type": "string", "minLength": 1, "description": "The database; relative to the configuration's directory"}}
})";

class ProspectCrm {
 public:
  static constexpr hookhost::Info info{.id = "org.hookhost.prospect_crm",
                                       .version = "0.1.0",
                                       .events = {"linkedin.*", "prospect.*"},
                                       .name = "Prospect CRM",
                                       .description = "Prospects, chats and messages of Kakiyo's events as SQLite tables",
                                       .config_schema = kSchema,
                                       .on_replay = hookhost::OnReplay::safe};

  ProspectCrm(hookhost::Host host, const hookhost::Config& config) : host_(host), path_(config.path("/path")) {}

  std::uint64_t start(const hookhost::Resume& resume) {
    projection_.emplace(path_);
    test_ = resume.test;
    if (resume.reset) projection_->reset();
    const std::uint64_t token = projection_->token();
    if (token < resume.token) {
      throw hookhost::ConfigError("the database " + path_ + " is older than what was handled (checkpoint " + std::to_string(token) + " of " +
                                  std::to_string(resume.token) + "): put the newer one back, or rebuild it with `hookhost replay " +
                                  std::string(host_.instance()) + " --from beginning --reset`");
    }
    return token;
  }

  hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call) {
    if (event.is_test()) return hookhost::ignored();  // the tables hold what happened
    const hookhost::kakiyo::Message view(call);
    Change change;
    change.type = event.type();
    change.team = event.team();
    change.agent = view.agent().value_or("");
    change.campaign = view.campaign().value_or("");
    change.chat = view.chat().value_or("");
    change.prospect = view.prospect().value_or("");
    change.message = view.message().value_or("");
    change.offset = event.offset();
    const auto happened = view.happened_at();
    change.at_ns = happened.value_or(view.timestamp().value_or(event.received_at())).time_since_epoch().count();
    try {
      return projection_->apply(change) ? hookhost::ok() : hookhost::ignored();
    } catch (const StorageError& error) {
      if (error.unavailable) return hookhost::unavailable(error.what());
      throw;
    }
  }

  // A test's tokens are no host's.
  void checkpoint(const hookhost::Checkpoint& point) {
    if (!test_) projection_->commit(point.token);
  }

 private:
  hookhost::Host host_;
  std::string path_;
  std::optional<Projection> projection_;
  bool test_ = false;  // this life is one
};

}  // namespace
}  // namespace prospect_crm

HOOKHOST_PLUGIN(prospect_crm::ProspectCrm)
