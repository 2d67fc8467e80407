#include "endpoints/verdict.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/bytes.h"

namespace hookhost::endpoints {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kRetryAfterMax = 1h;
constexpr std::size_t kAnswerKept = 1024;
constexpr Duration kRoomAgain = 100ms;

std::optional<Duration> wait_of(std::string_view text, WallTime now) {
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc{} && end == text.data() + text.size()) return std::min<Duration>(std::chrono::seconds{seconds}, kRetryAfterMax);
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) return kRetryAfterMax;  // more than 32 bits of seconds
  std::tm date{};
  const std::string terminated(text);
  const char* const rest = strptime(terminated.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  // In seconds, for the clock's nanoseconds go no further than the year 2262.
  const std::chrono::seconds this_second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  const WallTime at{std::clamp<std::chrono::seconds>(std::chrono::seconds{timegm(&date)}, this_second, this_second + kRetryAfterMax + 1s)};
  return std::clamp<Duration>(at - now, 0s, kRetryAfterMax);
}

}  // namespace

delivery::Outcome no_room() {
  return {.status = delivery::Status::unavailable,
          .error = "as many requests are open as the host's descriptors allow (ulimit -n); it goes on when others have ended",
          .retry_after = kRoomAgain};
}

delivery::Outcome outcome_of(const Result<http_client::TransferAnswer>& answer, WallTime now) {
  delivery::Outcome out;
  if (!answer) {
    out.status = delivery::Status::retry;
    out.error = answer.error().message;
    return out;
  }
  const auto& [status, body, retry_after, cut] = answer.value();
  out.http_status = status;
  out.answer = body.substr(0, kAnswerKept);
  if (status >= 200 && status < 300) return out;
  out.status = delivery::Status::retry;
  out.error = "answered " + std::to_string(status);
  if (status >= 300 && status < 400) out.error += "; redirects are not followed: register the address that it leads to";
  out.gone = status == 410;
  if ((status == 429 || status == 503) && retry_after) {
    out.retry_after = wait_of(*retry_after, now);
    out.wish = delivery::Wish::lengthens;
  }
  return out;
}

}  // namespace hookhost::endpoints
