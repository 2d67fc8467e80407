// A host with a source of every scheme, and commands as people type them.
#pragma once

#include "system/journal.h"

namespace hookhost::test {

class CommandTest : public SystemTest {
 protected:
  static constexpr const char* kStandardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  CommandTest() {
    host.sources["github"] = R"({scheme: github, secrets: ["github-test-secret"], team: team_code})";
    host.sources["stripe"] = R"({scheme: stripe, secrets: ["stripe-test-secret"]})";
    host.sources["standard"] = R"({scheme: standard-webhooks, secrets: [")" + std::string(kStandardSecret) + R"("]})";
    host.sources["orders"] =
        R"({scheme: hmac, provider: shop, secrets: ["orders-test-secret"], header: X-Shop-Hmac, encoding: base64, type: "header:X-Topic", key: /customer/id, id: "header:X-Shop-Id"})";
    host.sources["raw"] = "{unsigned: true}";
  }

  // The line as it is, without a configuration of ours; in a directory of its own.
  Ran plain(const std::vector<std::string>& arguments) {
    const TempDir elsewhere;
    Spawn what{{paths::host()}, {}, elsewhere.path(), elsewhere / "out", elsewhere / "err"};
    what.arguments.insert(what.arguments.end(), arguments.begin(), arguments.end());
    ChildProcess process(what);
    Ran ran;
    ran.status = process.wait();
    ran.out = contents(what.out_path);
    ran.err = contents(what.err_path);
    return ran;
  }

  // What `events list` with these filters shows, by offset.
  std::vector<int> offsets(const std::vector<std::string>& filters) {
    std::vector<std::string> line{"events", "list", "--json"};
    line.insert(line.end(), filters.begin(), filters.end());
    const Ran ran = host.run(line);
    EXPECT_EQ(ran.status, 0) << ran;
    std::vector<int> out;
    for (const auto& event : ran.objects()) out.push_back(event.at("offset").to_number<int>());
    return out;
  }
};

inline std::string text(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(json::string_view(member.data(), member.size()));
  if (value == nullptr) return "(absent)";
  return value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
}

inline std::vector<std::string> members(const json::object& object) {
  std::vector<std::string> out;
  for (const auto& member : object) out.emplace_back(member.key());
  return out;
}

}  // namespace hookhost::test
