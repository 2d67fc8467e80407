#include "state/registry.h"

#include "os/file_system.h"
#include "state/schema.h"
#include "state/sqlite.h"

namespace hookhost::state {

struct Registry::Connection {
  Database database;
};

Registry::Registry(std::unique_ptr<Connection> connection, bool created) : connection_(std::move(connection)), created_(created) {}
Registry::~Registry() = default;

Result<std::unique_ptr<Registry>> Registry::open(const std::string& path, bool may_create) {
  if (!may_create) {
    auto there = os::local_file_system().facts(path);
    if (!there && there.error().code != ErrorCode::not_found) return fail(there.error());
    // An empty file is what a crash at the first start leaves, or what somebody's touch(1) made: it registers nothing either.
    if (!there || there.value().size == 0) {
      return fail(ErrorCode::not_found, path + " is missing though there are events; restore a copy of it, or give up what it held: hookhost serve --new-registry");
    }
  }
  HOOKHOST_TRY(auto database, Database::open(path, Database::Mode::read_write));
  HOOKHOST_CHECK(database.execute("PRAGMA synchronous=FULL"));
  HOOKHOST_TRY(const bool created, migrate_registry(database));
  return std::unique_ptr<Registry>(new Registry(std::make_unique<Connection>(Connection{std::move(database)}), created));
}

}  // namespace hookhost::state
