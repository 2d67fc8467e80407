#include "config/when.h"

#include "base/bytes.h"
#include "base/units.h"

namespace hookhost::config {

Result<When> parse_when(std::string_view text, bool allow_hold) {
  When out;
  if (text == "now") return out;
  if (text == "beginning") {
    out.kind = When::Kind::beginning;
    return out;
  }
  if (text == "hold" && allow_hold) {
    out.kind = When::Kind::hold;
    return out;
  }
  if (const auto number = parse_u64(text)) {
    out.kind = When::Kind::offset;
    out.offset = Offset{*number};
    return out;
  }
  if (const auto age = parse_duration(text)) {
    out.kind = When::Kind::age;
    out.age = age.value();
    return out;
  }
  if (const auto time = parse_time(text)) {
    out.kind = When::Kind::time;
    out.time = time.value();
    return out;
  }
  return fail(ErrorCode::usage, "'" + std::string(text) + "' is no place in the event log: write beginning, now, " + (allow_hold ? "hold, " : "") +
                                    "an offset (digits), an age (30d, 2h) or a time (2026-11-23T09:30:00Z)");
}

}  // namespace hookhost::config
