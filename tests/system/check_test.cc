// `hookhost check` beside `serve`: what a start would refuse is found without one, and nothing is changed.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "system/command_line.h"

namespace hookhost::test {
namespace {

using CheckCommand = CommandTest;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// What no host could be run with: told before it is tried, with the place, by both in the same words.
TEST_F(CheckCommand, RefusesWhatServeCannotUse) {
  host.write_config();
  std::string good = contents(host.config_path());
  const std::string admin_port = std::to_string(host.admin_port()), public_port = std::to_string(host.public_port());
  const auto refused = [&](const std::string& what, const std::string& with, const std::string& said) {
    std::string bad = good;
    ASSERT_NE(bad.find(what), std::string::npos) << what;
    bad.replace(bad.find(what), what.size(), with);
    write_text(host.config_path(), bad);
    const Ran check = host.run({"check"}), serve = host.run({"serve"});
    EXPECT_EQ(check.status, 1) << check;
    EXPECT_EQ(serve.status, 1) << serve;
    EXPECT_THAT(check.err, testing::ContainsRegex("hookhost.yaml:[0-9]+:[0-9]+: " + said));
    EXPECT_THAT(serve.err, testing::ContainsRegex("hookhost.yaml:[0-9]+:[0-9]+: " + said));
  };
  refused("127.0.0.1:" + public_port, "127.0.0.1:99999", "listen.address: '127.0.0.1:99999' is no address");
  refused("127.0.0.1:" + public_port, "127.0.0.1:" + admin_port, "admin.address: .* is the address of listen too");
  refused("segment_bytes: 1MiB", "segment_bytes: 9999999TiB", "event_log.segment_bytes: must be from");
  refused(kStandardSecret, "whsec_!!", "sources.standard.secrets.0.: a secret that begins with whsec_");
  write_text(host.path("a_file"), "");
  refused("../data", "../a_file", "data_dir: .*/a_file is there, but no directory; move it away");
  refused("../data", "../a_file/below", "data_dir: .*/a_file is there, but no directory; move it away");
  std::filesystem::create_symlink("nowhere", host.path("a_link"));
  refused("../data", "../a_link", "data_dir: .*/a_link is a link to nothing; remove it, or make what it names");
  refused("127.0.0.1:" + public_port, "192.0.2.1:" + public_port, "listen.address: cannot listen on 192.0.2.1:.* no network of this machine has it");
  const std::string too_long(64, 'a');  // so that nobody is asked for it
  refused("127.0.0.1:" + public_port, too_long + ":" + public_port, "listen.address: '" + too_long + ":.*' names no address of this machine");
  refused("127.0.0.1:" + admin_port, "192.0.2.1:" + admin_port, "admin.address: cannot listen on 192.0.2.1");
  refused("127.0.0.1:" + admin_port + "\"", "127.0.0.1:" + admin_port + "\", token: \"two\\nlines\"", "admin.token: must be one line");
  write_text(host.path("conf/token"), "two\nlines\n");
  refused("127.0.0.1:" + admin_port + "\"", "127.0.0.1:" + admin_port + "\", token: {file: token}", "admin.token: must be one line");
  EXPECT_FALSE(std::filesystem::exists(host.data_dir())) << "check makes nothing";
  std::filesystem::create_directory(host.data_dir());
  write_text(host.data_dir() + "/admin.token", "two\nlines\n");
  refused("../data", "../data", "data_dir: .*/admin.token must be one line");
  write_text(host.data_dir() + "/admin.token", "tok\xc3\xa9n\n");
  refused("../data", "../data", "data_dir: .*/admin.token must be one line of visible ASCII .*; remove the file");
  std::filesystem::remove(host.data_dir() + "/admin.token");
  write_text(host.data_dir() + "/events", "");
  refused("../data", "../data", "data_dir: .*/events is there, but no directory; move it away");
  std::filesystem::remove(host.data_dir() + "/events");
  std::filesystem::create_directory(host.data_dir() + "/LOCK");
  refused("../data", "../data", "data_dir: .*/LOCK is there, but no file; move it away");
  std::filesystem::remove(host.data_dir() + "/LOCK");
  add_probe("probe", "start_at: 7, ");
  host.write_config();
  good = contents(host.config_path());
  refused(kStandardSecret, kStandardSecret, "plugins.probe.start_at: offset 7 lies beyond the end of the event log, 0");
}

TEST_F(CheckCommand, FindsADamagedDatabaseAndLeavesEverythingAsItIs) {
  ASSERT_TRUE(host.start());
  ASSERT_EQ(host.terminate(), 0);
  const auto files = [&] {
    std::map<std::string, std::string> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(host.data_dir())) {
      out[entry.path()] = entry.is_directory() ? "" : contents(entry.path());
    }
    return out;
  };
  auto before = files();
  EXPECT_EQ(host.run({"check"}).status, 0);
  EXPECT_TRUE(files() == before) << "of good ones";
  for (const char* name : {"registry.db", "delivery.db"}) {
    const std::string path = host.data_dir() + "/" + name, good = contents(path);
    for (const std::string& damaged : {std::string(8192, 'x'), good.substr(0, 100) + std::string(3000, '\xee') + good.substr(3100)}) {
      write_text(path, damaged);
      before = files();
      const Ran check = host.run({"check"});
      EXPECT_TRUE(files() == before) << name;
      const std::string said = path + " is not a database, or damaged; move it away together with its -wal and -shm files, or restore a copy of it";
      EXPECT_EQ(check.status, 1) << check;
      EXPECT_THAT(check.err, HasSubstr(said));
      const Ran serve = host.run({"serve"});
      EXPECT_EQ(serve.status, 1) << serve;
      EXPECT_THAT(serve.err, HasSubstr(said));
      for (const char* made : {"-wal", "-shm"}) std::filesystem::remove(path + made);
    }
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    for (const char* command : {"check", "serve"}) {
      const Ran ran = host.run({command});
      EXPECT_EQ(ran.status, 1) << ran;
      EXPECT_THAT(ran.err, HasSubstr(path + " is there, but no file; move it away"));
    }
    std::filesystem::remove(path);
    write_text(path, good);
  }
  ASSERT_TRUE(host.start());
  EXPECT_EQ(host.run({"check"}).status, 0) << "also beside one that runs";
}

// What a check finds of a data directory beside events is what a start refuses, word for word.
TEST_F(CheckCommand, RefusesTheDataDirThatServeRefuses) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  ASSERT_EQ(host.run({"send", "kakiyo", "linkedin.message.sent", "--count", "3"}).status, 0);
  ASSERT_TRUE(poll_until([&] { return ends(journal("probe")).size() == 3; }));
  ASSERT_EQ(host.terminate(), 0);
  const std::string data = host.data_dir(), kept = data + ".kept";
  std::filesystem::copy(data, kept, std::filesystem::copy_options::recursive);
  const auto poke = [&](const char* name, std::streamoff at, std::string_view bytes) {
    std::fstream file(data + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  };
  const auto directory_in_place_of = [&](const std::string& name) {
    std::filesystem::remove(data + "/" + name);
    std::filesystem::create_directory(data + "/" + name);
  };
  const auto pipe_in_place_of = [&](const std::string& name) {
    std::filesystem::remove(data + "/" + name);
    ASSERT_EQ(::mkfifo((data + "/" + name).c_str(), 0600), 0);
  };
  const auto link_in_place_of = [&](const std::string& name) {
    std::filesystem::remove(data + "/" + name);
    std::filesystem::create_symlink("nowhere", data + "/" + name);
  };
  std::string segment;
  for (const auto& entry : std::filesystem::directory_iterator(data + "/events")) {
    if (entry.path().extension() == ".events") segment = "events/" + entry.path().filename().string();
  }
  constexpr std::streamoff kUserVersion = 60, kApplicationId = 68;  // of SQLite's header
  const std::pair<std::function<void()>, std::string> refused[] = {
      {[&] { std::filesystem::remove(data + "/registry.db"); }, "registry.db is missing though there are events"},
      {[&] { std::filesystem::resize_file(data + "/registry.db", 0); }, "registry.db is missing though there are events"},
      {[&] { poke("registry.db", kApplicationId, "xxxx"); }, "the file in the place of registry.db is a database of something else"},
      {[&] { poke("delivery.db", kApplicationId, "xxxx"); }, "the file in the place of delivery.db is a database of something else"},
      {[&] { poke("registry.db", kUserVersion + 3, "c"); }, "registry.db was made by a newer hookhost"},
      {[&] { poke("delivery.db", kUserVersion + 3, "c"); }, "delivery.db was made by a newer hookhost"},
      {[&] { directory_in_place_of("delivery.db-wal"); }, "delivery.db-wal is there, but no file; move it away"},
      {[&] { directory_in_place_of("delivery.db-journal"); }, "delivery.db-journal is there, but no file; move it away"},
      {[&] { directory_in_place_of("events/END"); }, "events/END is there, but no file; move it away"},
      {[&] { directory_in_place_of(segment); }, segment + " is there, but no file; move it away"},
      {[&] { pipe_in_place_of("events/END"); }, "events/END is there, but no file; move it away"},
      {[&] { pipe_in_place_of(segment); }, segment + " is there, but no file; move it away"},
      {[&] { link_in_place_of("events/END"); }, "events/END is a link to nothing; remove it"},
      {[&] { pipe_in_place_of("admin.token"); }, "admin.token is there, but no file; move it away"},
      {[&] { poke("delivery.db", kUserVersion + 3, {"\0", 1}); }, "delivery.db says that it is of version 0, which no hookhost has made"},
      {[&] { poke("delivery.db", kUserVersion + 3, "\1"); }, "delivery.db says that it is of version 1, and has"},
      {[&] { std::filesystem::remove(data + "/" + segment); }, "the event log has lost events that were answered with 2xx: offsets 0-2"},
  };
  for (const auto& [damage, said] : refused) {
    SCOPED_TRACE(said);
    damage();
    for (const char* command : {"check", "serve"}) {
      const Ran ran = host.run({command});
      EXPECT_NE(ran.status, 0) << ran;
      EXPECT_THAT(ran.err, HasSubstr(said)) << ran;
    }
    std::filesystem::remove_all(data);
    std::filesystem::copy(kept, data, std::filesystem::copy_options::recursive);
    EXPECT_EQ(host.run({"check"}).status, 0) << host.run({"check"});
  }
}

// What of the configuration does not fit what is kept, as a start judges it.
TEST_F(CheckCommand, JudgesNamesAndPlacesByWhatIsKept) {
  add_probe("known", "start_at: now, ");
  ASSERT_TRUE(host.start());
  ASSERT_EQ(host.run({"send", "kakiyo", "linkedin.message.sent", "--count", "3"}).status, 0);
  ASSERT_TRUE(host.catches_up("known"));
  const auto checked = [&](const std::string& said) {
    host.write_config();
    const Ran ran = host.run({"check"});
    EXPECT_EQ(ran.status, said.empty() ? 0 : 1) << ran;
    EXPECT_THAT(ran.err, HasSubstr(said)) << ran;
  };
  const std::string beyond = "plugins.new.start_at: offset 4 lies beyond the end of the event log, 3";
  add_probe("known", "start_at: 9999, ");
  checked("");
  add_probe("new", "start_at: 3, ");
  checked("");
  add_probe("new", "start_at: 4, ");
  checked(beyond);
  ASSERT_EQ(host.terminate(), 0);
  checked(beyond);
  // END is for readers beside a running host: a start does not trust it.
  for (const std::string& end : {std::string(), std::string(8, '\0'), std::string(8, '\x7f')}) {
    write_text(host.data_dir() + "/events/END", end);
    add_probe("new", "start_at: 3, ");
    checked("");
    add_probe("new", "start_at: 4, ");
    checked(beyond);
  }
  const std::string delivery = contents(host.data_dir() + "/delivery.db");
  std::filesystem::remove(host.data_dir() + "/delivery.db");
  checked("");  // where positions were lost, it begins where nothing kept is missed
  write_text(host.data_dir() + "/delivery.db", delivery);
  host.plugins.clear();
  host.more = "endpoints: {known: {url: \"https://example.com/\", events: [\"*\"]}}\n";
  const std::string said = "endpoints.known: known is known as a plugin, whose position is kept: choose another name";
  checked(said);
  EXPECT_THAT(host.run({"serve"}).err, HasSubstr(said));
}

TEST_F(CheckCommand, LooksIntoThePluginsToo) {
  add_probe("probe", "events: [\"linkedin.*\"], ");
  host.write_config();
  const Ran good = host.run({"check"});
  EXPECT_EQ(good.status, 0) << good;
  EXPECT_THAT(good.out, HasSubstr("1 plugins"));
  host.plugins["absent"] = "{library: /nowhere/absent.so}";
  host.write_config();
  const Ran bad = host.run({"check"});
  EXPECT_EQ(bad.status, 1) << bad;
  EXPECT_THAT(bad.err, HasSubstr("plugins.absent"));
}

}  // namespace
}  // namespace hookhost::test
