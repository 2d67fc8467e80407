// The arguments of one admin call: its JSON body or its query, read strictly. An unknown member is an error that names it, so that a
// misspelt filter never selects everything.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hookhost::api {

// "%41" and "+" of a query; nullopt when it is not well-formed.
[[nodiscard]] std::optional<std::string> url_decode(std::string_view text);
[[nodiscard]] std::string url_encode(std::string_view text);

class Arguments {
 public:
  // Error: usage, when it is not a JSON object (or says a member twice) or not a query in UTF-8.
  [[nodiscard]] static Result<Arguments> from_json(std::string_view body);
  [[nodiscard]] static Result<Arguments> from_query(std::string_view query);

  // nullopt when absent or null. The error names the member and what was expected.
  [[nodiscard]] Result<std::optional<std::string>> text(std::string_view name);
  [[nodiscard]] Result<std::optional<std::uint64_t>> number(std::string_view name);
  [[nodiscard]] Result<std::optional<double>> decimal(std::string_view name);
  [[nodiscard]] Result<bool> flag(std::string_view name);  // absent: false
  [[nodiscard]] Result<std::vector<std::string>> texts(std::string_view name);
  [[nodiscard]] Result<std::string> required(std::string_view name);

  // After all were read. Error: usage, naming one that nobody asked for.
  [[nodiscard]] Result<> finish() const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace hookhost::api
