// The types that /v1 knows: Kakiyo's six and those of the configuration's `api.types`.
#pragma once

#include <boost/json/fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hookhost::api {

class V1Types {
 public:
  explicit V1Types(const std::vector<std::string>& more = {});
  [[nodiscard]] bool contains(std::string_view type) const;
  [[nodiscard]] std::span<const std::string> all() const { return all_; }

 private:
  std::vector<std::string> all_;
};

// "linkedin.message.received" -> "LinkedIn Message Received".
[[nodiscard]] std::string title_of(std::string_view type);

// What a webhook of this type looks like, for this team; one of a type without an example of its own has no data.
[[nodiscard]] boost::json::object example_envelope(std::string_view type, std::string_view team);

}  // namespace hookhost::api
