#include "state/database_file.h"

#include "os/file_system.h"
#include "state/group_commit.h"
#include "state/reads.h"
#include "state/schema.h"

namespace hookhost::state {
namespace {

Result<> look(const std::string& path, Result<> (*judge)(Database&)) {
  auto database = Database::open_to_look(path);
  if (!database) return database.error().code == ErrorCode::not_found ? Result<>(success()) : Result<>(fail(database.error()));
  return judge(database.value());
}

}  // namespace

Result<> check_delivery_file(const std::string& path) { return look(path, check_delivery); }

Result<> check_registry_file(const std::string& path, bool may_create) {
  if (!may_create) HOOKHOST_CHECK(check_registry_is_kept(path));
  return look(path, check_registry);
}

Result<> check_registry_is_kept(const std::string& path) {
  const auto there = os::local_file_system().facts(path);
  if (!there && there.error().code != ErrorCode::not_found) return fail(there.error());
  if (there && there.value().size > 0) return success();
  return fail(ErrorCode::not_found, path + " is missing though there are events; restore a copy of it, or give up what it held: hookhost serve --new-registry");
}

Result<Kept> kept_in(const std::string& path) {
  HOOKHOST_TRY(auto database, Database::open_to_look(path));
  HOOKHOST_TRY(const auto end, reads::meta(database, kDurableEndName));
  HOOKHOST_TRY(const auto positions, reads::meta(database, kPositionsLostName));
  Kept out{.durable_end = Offset{end}, .positions_lost = positions == kPositionsLost, .kinds = {}};
  HOOKHOST_TRY(out.kinds, reads::kinds(database));
  return out;
}

}  // namespace hookhost::state
