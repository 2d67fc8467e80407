#include "delivery/notes.h"

#include <algorithm>
#include <charconv>

namespace hookhost::delivery {
namespace {

constexpr std::string_view kOrder = ";order=";  // the last, for a pointer may hold anything

std::optional<std::uint32_t> number_after(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint32_t value = 0;
  std::from_chars(text.data() + at + name.size(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::string Notes::text() const {
  std::string out = "run=" + std::to_string(run);
  if (recovering) out += ";recovering=1";
  if (gone) out += ";gone=1";
  if (before_detached) out += ";before=" + std::to_string(static_cast<int>(*before_detached));
  if (order) out += std::string(kOrder) + order->text();
  return out;
}

Notes Notes::parse(std::string_view text) {
  Notes out;
  if (const auto at = text.find(kOrder); at != std::string_view::npos) {
    out.order = OrderBy::of(text.substr(at + kOrder.size()));
    text = text.substr(0, at);
  }
  out.run = std::max(1U, number_after(text, "run=").value_or(1));
  out.recovering = number_after(text, "recovering=").value_or(0) != 0;
  out.gone = number_after(text, "gone=").value_or(0) != 0;
  if (const auto before = number_after(text, "before=")) out.before_detached = static_cast<state::Condition>(std::min(*before, 3U));
  return out;
}

}  // namespace hookhost::delivery
