#include "app/names_only.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temp_dir.h"

namespace hookhost::app {
namespace {

TEST(NamesOnly, LeavesOfAPathItsNameAndOfWhatLiesAboveItToo) {
  const std::vector<std::string> paths{"/etc/hookhost/hookhost.yaml", "/opt/acme/lib/crm.so"};
  EXPECT_EQ(names_only("/etc/hookhost/hookhost.yaml:5:3: plugins.crm: others may change /opt/acme/lib/crm.so; chmod go-w /opt/acme/lib/crm.so", paths),
            "hookhost.yaml:5:3: plugins.crm: others may change crm.so; chmod go-w crm.so");
  EXPECT_EQ(names_only("others may put files into /opt/acme; chmod go-w /opt/acme", paths), "others may put files into acme; chmod go-w acme");
  EXPECT_EQ(names_only("/opt/acme/lib/crm.so.", paths), "crm.so.");
  EXPECT_EQ(names_only("/opt/acme/other.so is a neighbour", paths), "other.so is a neighbour");
}

TEST(NamesOnly, LeavesEverythingElse) {
  const std::vector<std::string> paths{"/opt/acme/crm.so"};
  for (const char* text : {"", "the JSON pointer /optional, and /data/opt/x", "https://example.com/opt", "/optical/acme", "/opt-in", "crm.so"}) {
    EXPECT_EQ(names_only(text, paths), text);
  }
}

TEST(NamesOnly, KnowsWhereLinksLead) {
  const test::TempDir directory;
  std::filesystem::create_directory(directory / "real");
  std::ofstream(directory / "real/crm.so").close();
  std::filesystem::create_symlink(directory / "real/crm.so", directory / "link.so");
  const std::string real = std::filesystem::canonical(directory / "real/crm.so");
  EXPECT_EQ(names_only("others may change " + real, {directory / "link.so"}), "others may change crm.so");
}

}  // namespace
}  // namespace hookhost::app
