// What the probe plugin wrote down (tests/system/probe.cpp), and the host with probes in it.
#pragma once

#include <map>
#include <set>

#include "support/kakiyo_sender.h"

namespace hookhost::test {

struct JournalLine {
  bool is_begin = false;
  std::uint64_t offset = 0;
  std::string id, key;
  std::uint32_t attempt = 0;  // of a begin
  std::int64_t n = -1;
  bool is_replay = false;
  std::string outcome;  // of an end
};

inline std::vector<JournalLine> read_journal(const std::string& path) {
  std::vector<JournalLine> out;
  for (const auto& text : lines_of(contents(path))) {
    std::istringstream in(text);
    JournalLine line;
    std::string kind, stream;
    in >> kind >> line.offset >> line.id >> line.key;
    line.is_begin = kind == "begin";
    if (line.is_begin) {
      in >> line.attempt >> line.n >> stream;
      line.is_replay = stream == "replay";
    } else {
      in >> line.outcome;
    }
    out.push_back(line);
  }
  return out;
}

// How often each offset ended with that outcome.
inline std::map<std::uint64_t, int> ends(const std::vector<JournalLine>& lines, const std::string& outcome = "0") {
  std::map<std::uint64_t, int> out;
  for (const auto& line : lines) {
    if (!line.is_begin && line.outcome == outcome) ++out[line.offset];
  }
  return out;
}

inline testing::AssertionResult never_two_calls_of_one_key(const std::vector<JournalLine>& lines) {
  std::set<std::string> running;
  for (const auto& line : lines) {
    if (line.key == "-") continue;
    if (line.is_begin && !running.insert(line.key).second) return testing::AssertionFailure() << "two calls of key " << line.key << " at offset " << line.offset;
    if (!line.is_begin) running.erase(line.key);
  }
  return testing::AssertionSuccess();
}

// The offsets of the good calls of each key never go back.
inline testing::AssertionResult in_order_per_key(const std::vector<JournalLine>& lines) {
  std::map<std::string, std::uint64_t> last;
  for (const auto& line : lines) {
    if (line.is_begin || line.outcome != "0" || line.key == "-") continue;
    const auto [found, is_new] = last.emplace(line.key, line.offset);
    if (!is_new && found->second > line.offset) return testing::AssertionFailure() << "offset " << line.offset << " of " << line.key << " after " << found->second;
    found->second = line.offset;
  }
  return testing::AssertionSuccess();
}

class SystemTest : public testing::Test {
 protected:
  [[nodiscard]] static std::string library(const std::string& name) { return paths::system_plugins() + "/" + name + ".so"; }

  // A probe under that name; `options` are further keys of the plugin ("timeout: 1s, "), `config` further keys of its config.
  void add_probe(const std::string& name, const std::string& options = "", const std::string& config = "", const std::string& kind = "test_probe") {
    host.plugins[name] = "{library: \"" + library(kind) + "\", " + options + "config: {journal: \"" + host.path(name + ".journal") + "\", mode: \"" +
                         host.path(name + ".mode") + "\", release: \"" + host.path(name + ".release") + "\"" + (config.empty() ? "" : ", ") + config + "}}";
  }
  [[nodiscard]] std::vector<JournalLine> journal(const std::string& name) const { return read_journal(host.path(name + ".journal")); }
  // The event's id, when it was answered 2xx.
  std::string send(const std::string& chat, const json::object& what = {}) {
    const std::string id = KakiyoSender(host.public_port()).send(message(chat, ++sent_, what));
    EXPECT_FALSE(id.empty()) << host.diagnostics();
    return id;
  }
  testing::AssertionResult is(const std::string& name, const std::string& state) {
    if (poll_until([&] { return host.subscriber(name).at("state").as_string() == state; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << json::serialize(host.subscriber(name));
  }
  // Writes the configuration as it now is, and has it applied.
  void reload() {
    host.write_config();
    const Ran ran = host.run({"reload"});
    ASSERT_EQ(ran.status, 0) << ran;
  }
  void set_mode(const std::string& name, const std::string& mode) const { write_text(host.path(name + ".mode"), mode); }
  // What is committed in the probe's kv; written when it started.
  [[nodiscard]] std::map<std::string, int> counts(const std::string& path) const {
    std::map<std::string, int> out;
    for (const auto& line : lines_of(contents(path))) out[line.substr(0, line.find(' '))] = std::stoi(line.substr(line.find(' ')));
    return out;
  }

  HostProcess host;
  std::int64_t sent_ = 0;
};

}  // namespace hookhost::test
