// What an SQLite database holds, as comparable text.
#pragma once

#include <sqlite3.h>

#include <set>
#include <string>

namespace hookhost::test {

// The rows of that query, each as its columns joined by '|'; "cannot be read: ..." as the only row when it fails.
inline std::multiset<std::string> rows_of(const std::string& path, const std::string& query) {
  std::multiset<std::string> out;
  sqlite3* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  int result = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);  // a WAL file left behind wants to be recovered
  if (result == SQLITE_OK) result = sqlite3_prepare_v2(database, query.c_str(), -1, &statement, nullptr);
  while (result == SQLITE_OK || result == SQLITE_ROW) {
    result = sqlite3_step(statement);
    if (result != SQLITE_ROW) break;
    std::string row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      row += (i == 0 ? "" : "|") + std::string(text == nullptr ? "null" : text);
    }
    out.insert(row);
  }
  if (result != SQLITE_DONE) out = {std::string("cannot be read: ") + sqlite3_errmsg(database)};
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return out;
}

}  // namespace hookhost::test
