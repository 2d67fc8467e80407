// jsonl_export: every event as one line of JSON, appended to a file, effectively once.
//
// The committed length of the file stands in kv, written by each call and committed with its outcome. A checkpoint syncs the file before the host
// commits; a start cuts the file back to the committed length. So after a crash at any moment the file holds each event once, in order.
//
// With rotation the file goes on in parts: PATH, PATH.1, PATH.2. A part is never renamed, so that a crash between two parts is met by the same
// cutting back: the committed part is cut, and what stands behind it is removed.
#include <hookhost/plugin.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "export_file.h"
#include "json_line.h"

namespace jsonl_export {
namespace {

constexpr std::string_view kLength = "length", kPart = "part";
constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["path"], "additionalProperties": false,
  "properties": {
    "path": {"type": "string", "minLength": 1, "description": "The file; relative to the configuration's directory"},
    "rotate_bytes": {"type": "integer", "minimum": 0, "description": "A part that would grow above this goes on in PATH.1, PATH.2; 0: one file"}
  }
})";

std::optional<std::uint64_t> to_number(const std::optional<std::string>& text) {
  return text ? std::optional<std::uint64_t>(std::stoull(*text)) : std::nullopt;
}

std::string to_line(const hookhost::Event& event) {
  std::string line;
  JsonLine json(line);
  json.number("offset", event.offset());
  json.text("id", event.id());
  json.text("source", event.source());
  json.text("provider", event.provider());
  json.text("type", event.type());
  json.text_or_null("team", event.team());
  json.text_or_null("key", event.key());
  json.text("received_at", rfc3339(event.received_at().time_since_epoch().count()));
  json.begin_headers();
  for (const auto& header : event.headers()) json.header(hookhost::view(header.name), hookhost::view(header.value));
  json.end_headers();
  json.text("content_type", event.content_type());
  json.boolean("verified", event.verified());
  json.body(event.body());
  json.end();
  return line;
}

class JsonlExport {
 public:
  static constexpr hookhost::Info info{.id = "org.hookhost.jsonl_export",
                                       .version = "0.1.0",
                                       .events = {"*", "hookhost.unparsable"},  // whatever was received, readable or not
                                       .name = "JSON lines",
                                       .description = "Appends every event as one line of JSON to a file, effectively once",
                                       .config_schema = kSchema,
                                       .on_replay = hookhost::OnReplay::reset_only,
                                       .order = hookhost::Order::all};  // the file's lines stand as in the event log

  JsonlExport(hookhost::Host host, const hookhost::Config& config)
      : host_(host), path_(config.path("/path")), rotate_bytes_(static_cast<std::uint64_t>(config.integer("/rotate_bytes", 0))) {}

  void start(const hookhost::Resume& resume) {
    if (resume.test) return;  // the file is another life's
    const auto committed = to_number(resume.kv.get(kLength));
    if (!committed && !resume.reset) keep_aside();
    part_ = to_number(resume.kv.get(kPart)).value_or(0);
    for (std::uint64_t later = part_ + 1; ::unlink(part_path(later).c_str()) == 0;) ++later;
    file_.emplace(part_path(part_));
    file_->cut_back(committed.value_or(0));
  }

  hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call) {
    if (event.is_test()) return hookhost::ignored();
    try {
      const std::string line = to_line(event);
      if (rotate_bytes_ > 0 && file_->length() > 0 && file_->length() + line.size() > rotate_bytes_) next_part();
      file_->append(line);
    } catch (const FileError& error) {
      if (error.unavailable) return hookhost::unavailable(error.what());
      throw;
    }
    call.kv().put(kLength, std::to_string(file_->length()));
    if (part_ > 0) call.kv().put(kPart, std::to_string(part_));
    return hookhost::ok();
  }

  void checkpoint(const hookhost::Checkpoint&) {
    if (file_) file_->sync();
  }

 private:
  [[nodiscard]] std::string part_path(std::uint64_t part) const { return part == 0 ? path_ : path_ + "." + std::to_string(part); }

  // Order: a part is durable before the next one begins; a checkpoint syncs only the last.
  void next_part() {
    file_->sync();
    file_.emplace(part_path(part_ + 1));
    ++part_;
    file_->cut_back(0);
  }

  // Lines that no commit knows: of a first batch that a crash overtook, or of another life of this host. They are moved away, never cut.
  void keep_aside() const {
    struct stat facts {};
    for (std::uint64_t part = 0; ::stat(part_path(part).c_str(), &facts) == 0; ++part) {
      if (facts.st_size > 0) move_away(part_path(part));
    }
  }
  void move_away(const std::string& from) const {
    struct stat facts {};
    for (unsigned n = 1;; ++n) {
      const std::string aside = from + ".unknown." + std::to_string(n);
      if (::stat(aside.c_str(), &facts) == 0) continue;
      if (std::rename(from.c_str(), aside.c_str()) != 0) throw std::runtime_error("cannot move " + from + " away");
      host_.warn("the file held lines that no commit knows; they are in " + aside);
      return;
    }
  }

  hookhost::Host host_;
  std::string path_;
  std::uint64_t rotate_bytes_;
  std::uint64_t part_ = 0;  // the one that is being written
  std::optional<ExportFile> file_;
};

}  // namespace
}  // namespace jsonl_export

HOOKHOST_PLUGIN(jsonl_export::JsonlExport)
