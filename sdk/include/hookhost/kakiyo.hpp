// Kakiyo's events by name. Everything is optional: Kakiyo documents the fields of linkedin.message.received alone, and any of them may be absent.
//
//   if (const auto received = hookhost::kakiyo::message_received(event, call)) {
//     reply_to(received->chat().value_or(""), received->message().value_or(""));
//   }
//
// The views live as long as the event. Threads: those of Call::json.
#ifndef HOOKHOST_KAKIYO_HPP
#define HOOKHOST_KAKIYO_HPP

#include <hookhost/cpp/call.hpp>

namespace hookhost::kakiyo {

inline constexpr std::string_view kMessageSent = "linkedin.message.sent";
inline constexpr std::string_view kMessageReceived = "linkedin.message.received";
inline constexpr std::string_view kInvitationSent = "linkedin.invitation.sent";
inline constexpr std::string_view kInvitationAccepted = "linkedin.invitation.accepted";
inline constexpr std::string_view kQualificationManual = "prospect.qualification.manual";
inline constexpr std::string_view kUnqualified = "prospect.unqualified";

using Text = std::optional<std::string_view>;

namespace detail {

// "2023-06-15T10:30:00Z", with or without a fraction; UTC only, as Kakiyo writes it.
inline std::optional<Time> parse_time(std::string_view text) {
  const auto digits = [&text](std::size_t at, std::size_t count) {
    int out = 0;
    for (std::size_t i = at; i < at + count; ++i) {
      if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
      out = out * 10 + (text[i] - '0');
    }
    return out;
  };
  if (text.size() < 20 || text.back() != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') return std::nullopt;
  const int year = digits(0, 4), month = digits(5, 2), day = digits(8, 2), hour = digits(11, 2), minute = digits(14, 2), second = digits(17, 2);
  if (year < 1970 || year > 2261 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  std::int64_t ns = 0;
  if (text.size() > 20) {
    const std::size_t count = text.size() - 21;  // between '.' and 'Z'
    if (text[19] != '.' || count == 0 || count > 9) return std::nullopt;
    ns = digits(20, count);
    if (ns < 0) return std::nullopt;
    for (std::size_t i = count; i < 9; ++i) ns *= 10;
  }
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) +
         std::chrono::nanoseconds(ns);
}

}  // namespace detail

// What all six have in common.
class View {
 public:
  explicit View(const Call& call) : call_(call) {}
  [[nodiscard]] Text team() const {
    const Text id = call_.json("/teamId").text();
    return id ? id : call_.json("/team/id").text();
  }
  [[nodiscard]] std::optional<Time> timestamp() const { return time("/timestamp"); }      // of the envelope
  [[nodiscard]] std::optional<Time> happened_at() const { return time("/data/timestamp"); }
  [[nodiscard]] Text agent() const { return text("/data/agentId"); }
  [[nodiscard]] Text campaign() const { return text("/data/campaignId"); }
  [[nodiscard]] Text chat() const { return text("/data/chatId"); }
  [[nodiscard]] Text prospect() const { return text("/data/prospectId"); }
  // Whatever else is in the payload.
  [[nodiscard]] Json json(std::string_view pointer) const { return call_.json(pointer); }

 protected:
  [[nodiscard]] Text text(std::string_view pointer) const { return call_.json(pointer).text(); }
  [[nodiscard]] std::optional<Time> time(std::string_view pointer) const {
    const Text written = text(pointer);
    return written ? detail::parse_time(*written) : std::nullopt;
  }

 private:
  Call call_;
};

class Message : public View {
 public:
  using View::View;
  [[nodiscard]] Text message() const { return text("/data/message"); }
};
class Invitation : public View {
 public:
  using View::View;
};
class Qualification : public View {
 public:
  using View::View;
  // As in Kakiyo's API: unqualified, needVerification, inProgress, qualified.
  [[nodiscard]] Text qualification() const { return text("/data/qualification"); }
};

namespace detail {
template <class T>
std::optional<T> when(const Event& event, const Call& call, std::string_view type) {
  return event.type() == type ? std::optional<T>(std::in_place, call) : std::nullopt;
}
}  // namespace detail

// Empty when the event is of another type.
inline std::optional<Message> message_sent(const Event& event, const Call& call) { return detail::when<Message>(event, call, kMessageSent); }
inline std::optional<Message> message_received(const Event& event, const Call& call) { return detail::when<Message>(event, call, kMessageReceived); }
inline std::optional<Invitation> invitation_sent(const Event& event, const Call& call) { return detail::when<Invitation>(event, call, kInvitationSent); }
inline std::optional<Invitation> invitation_accepted(const Event& event, const Call& call) {
  return detail::when<Invitation>(event, call, kInvitationAccepted);
}
inline std::optional<Qualification> qualification_manual(const Event& event, const Call& call) {
  return detail::when<Qualification>(event, call, kQualificationManual);
}
inline std::optional<Qualification> unqualified(const Event& event, const Call& call) { return detail::when<Qualification>(event, call, kUnqualified); }

}  // namespace hookhost::kakiyo

#endif
