// An OpenAPI file as far as these tests need it.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hookhost::test {

class OpenApi {
 public:
  explicit OpenApi(std::string_view text) : root_(boost::json::parse(boost::json::string_view(text.data(), text.size()))) {}

  [[nodiscard]] const boost::json::object& paths() const { return root_.at("paths").as_object(); }
  // With every $ref replaced by what it names; members beside a $ref win.
  [[nodiscard]] boost::json::value resolved(const boost::json::value& value) const;
  // Of "GET /webhooks/{webhookId}"; nullopt: the file has no such call.
  [[nodiscard]] std::optional<boost::json::object> operation(const std::string& method, const std::string& path) const;
  // What is said of an answer; nullopt: the call does not list the status (nor 5XX, if that may stand for it).
  [[nodiscard]] std::optional<boost::json::value> answer(const std::string& method, const std::string& path, int status, bool or_range) const;
  // "GET /webhooks 200" of all that it lists.
  [[nodiscard]] std::set<std::string> answers() const;
  // The method and path of each call that lists the status.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> calls_with(const std::string& status) const;

 private:
  boost::json::value root_;
};

[[nodiscard]] OpenApi kakiyos();
[[nodiscard]] OpenApi ours();  // as it is served

[[nodiscard]] std::string lower(std::string text);
[[nodiscard]] std::string upper(std::string text);
// "/webhooks/webhookId" of "/webhooks/{webhookId}": what nothing is called, for answers that come before anybody looks.
[[nodiscard]] std::string without_braces(std::string path);

// Of a request's or an answer's JSON.
[[nodiscard]] const boost::json::object& schema_of(const boost::json::value& with_content);

// What is wrong with the value; empty: nothing.
[[nodiscard]] std::string violations(const boost::json::value& schema, const boost::json::value& value);
// Members that the schema does not name, unless it says that there may be others.
[[nodiscard]] std::string undocumented(const boost::json::value& schema, const boost::json::value& value);

}  // namespace hookhost::test
