#include "app/printing.h"

#include <gtest/gtest.h>

#include <sstream>

namespace hookhost::app {
namespace {

constexpr const char* kList = R"([{"name":"crm","lag":12,"age":0.25,"key":null,"deep":{"a":1}},{"name":"jsonl_export","lag":3,"age":1.0}])";

std::string printed(bool json, const std::vector<std::string>& members) {
  std::ostringstream out, err;
  const Context context{"", json, out, err};
  print_list(context, kList, members);
  return out.str();
}

TEST(Printing, ATableHasAHeadAndColumnsThatStandBelowEachOther) {
  EXPECT_EQ(printed(false, {"name", "lag", "age"}),
            "name          lag  age\n"
            "crm           12   0.2\n"
            "jsonl_export  3    1.0\n");
}

TEST(Printing, NothingInACellMovesATerminal) {
  std::ostringstream out;
  print_table(out, boost::json::parse("[{\"error\":\"\\u001b[31m\\u009b\\nx\",\"deep\":[\"\\u007f\"]}]"), {"error", "deep"});
  EXPECT_EQ(out.str(),
            "error                    deep\n"
            "\\u001b[31m\\u009b\\u000ax  [\"\\u007f\"]\n");
}

TEST(Printing, WhatIsAbsentOrNullIsADash) {
  EXPECT_EQ(printed(false, {"key", "nothing", "name"}),
            "key  nothing  name\n"
            "-    -        crm\n"
            "-    -        jsonl_export\n");
}

TEST(Printing, JsonIsOneObjectALineUnchanged) {
  EXPECT_EQ(printed(true, {"name"}),
            "{\"name\":\"crm\",\"lag\":12,\"age\":2.5E-1,\"key\":null,\"deep\":{\"a\":1}}\n"
            "{\"name\":\"jsonl_export\",\"lag\":3,\"age\":1E0}\n");
}

TEST(Printing, JsonOfNamedMembersHasTheseInOrderAndNoOthers) {
  std::ostringstream out;
  print_lines(out, boost::json::parse(kList), {"lag", "name"});
  EXPECT_EQ(out.str(), "{\"lag\":12,\"name\":\"crm\"}\n{\"lag\":3,\"name\":\"jsonl_export\"}\n");
}

}  // namespace
}  // namespace hookhost::app
