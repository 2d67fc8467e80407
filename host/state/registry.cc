#include "state/registry.h"

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
    auto existing = Database::open(path, Database::Mode::read_only);
    if (!existing) {
      return fail(ErrorCode::not_found, path + " is missing though there are events; restore it, or start without what it held: hookhost serve --new-registry");
    }
  }
  HOOKHOST_TRY(auto database, Database::open(path, Database::Mode::read_write));
  HOOKHOST_CHECK(database.execute("PRAGMA synchronous=FULL"));
  HOOKHOST_TRY(const bool created, migrate_registry(database));
  return std::unique_ptr<Registry>(new Registry(std::make_unique<Connection>(Connection{std::move(database)}), created));
}

}  // namespace hookhost::state
