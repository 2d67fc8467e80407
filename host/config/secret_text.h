// A text that must not be printed: there is no conversion and no stream operator, only reveal().
#pragma once

#include <string>
#include <string_view>

namespace hookhost::config {

class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  friend bool operator==(const SecretText&, const SecretText&) = default;

 private:
  std::string value_;
};

}  // namespace hookhost::config
