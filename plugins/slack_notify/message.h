// The message: a template with {{places}}, filled from an event. Nothing here knows HTTP.
//
//   "{{type}} in {{/data/chatId}}: {{/data/message}}"
//
// A place is one of id, type, source, provider, team, key, offset, received_at, or a JSON pointer into the body. What an event lacks is empty.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hookhost/plugin.hpp>

namespace slack_notify {

class Template {
 public:
  // Throws std::invalid_argument that names an unknown place or an unclosed one.
  explicit Template(std::string_view text);

  // Inserted values have &, < and > escaped as Slack asks, so that nobody who writes a message can mention a channel or forge a link. The text
  // is cut to 4,000 bytes, between characters.
  [[nodiscard]] std::string fill(const hookhost::Event& event, const hookhost::Call& call) const;

 private:
  struct Part {
    bool is_place = false;
    std::string text;
  };
  std::vector<Part> parts_;
};

// {"text": ...} as an incoming webhook takes it.
[[nodiscard]] std::string to_json(std::string_view text);

}  // namespace slack_notify
