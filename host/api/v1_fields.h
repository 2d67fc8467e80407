// The members of a request's JSON object, read one by one; every one that is wrong is told, not only the first. Private to the room.
//
// Members that nobody asked for are no error: clients of Kakiyo may send more than its contract names. unknown() tells them, so that a
// misspelt one does not go unseen.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hookhost::api {

class V1Fields {
 public:
  // `prefix` stands before the names in problems: "events[3].".
  explicit V1Fields(boost::json::object members, std::string prefix = {}) : members_(std::move(members)), prefix_(std::move(prefix)) {}

  // nullopt when absent or wrong. Lengths in bytes.
  [[nodiscard]] std::optional<std::string> text(std::string_view name, std::size_t bytes_min, std::size_t bytes_max);
  [[nodiscard]] std::optional<bool> flag(std::string_view name);
  [[nodiscard]] std::optional<double> number(std::string_view name, double least, double most);
  [[nodiscard]] std::optional<std::uint64_t> whole(std::string_view name, std::uint64_t least, std::uint64_t most);
  [[nodiscard]] std::optional<std::string> one_of(std::string_view name, const std::vector<std::string_view>& allowed);
  [[nodiscard]] std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t count_max, std::size_t bytes_max);
  [[nodiscard]] std::optional<std::map<std::string, std::string>> text_map(std::string_view name, std::size_t count_max, std::size_t bytes_max);
  [[nodiscard]] std::optional<Duration> duration(std::string_view name);  // "30s"
  [[nodiscard]] const boost::json::object* object(std::string_view name);

  void require(std::string_view name);  // a problem when it is absent
  void problem(std::string_view name, std::string_view what);
  [[nodiscard]] bool has(std::string_view name) const { return members_.contains(boost::json::string_view(name.data(), name.size())); }

  // Error: usage, "name: what is wrong", one a line.
  [[nodiscard]] Result<> finish() const;
  [[nodiscard]] std::vector<std::string> unknown() const;

 private:
  [[nodiscard]] const boost::json::value* find(std::string_view name);
  [[nodiscard]] std::optional<std::string> checked(std::string_view name, const boost::json::value& value, std::size_t bytes_min, std::size_t bytes_max);

  boost::json::object members_;
  std::string prefix_;
  std::set<std::string, std::less<>> known_;
  std::string problems_;
};

}  // namespace hookhost::api
