// Command lines of zpool(8), and the meaning of what it answers under LC_ALL=C.
#include "unlock/zfs_pool.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "unlock/child_process.h"

namespace zkv::unlock {

namespace {

/// What zpool says, as one line. Source: OpenZFS lib/libzfs/libzfs_pool.c and libzfs_util.c.
Result<> meaning_of_zpool(const Finished& finished, const std::string& pool) {
  if (finished.exit_code == 0) return {};
  std::string text = finished.errors;
  while (text.ends_with('\n')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  const auto says = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  if (says("a pool with that name already exists")) return {};
  if (says("no such pool")) return Error::not_found(std::move(text));
  if (says("is busy")) return Error::conflict(std::move(text));
  if (says("previously in use from another system")) {
    return Error::conflict(std::move(text))
        .remedy("if no other machine uses it now: zpool import -f " + pool);
  }
  if (text.empty()) text = "zpool ended with code " + std::to_string(finished.exit_code);
  return Error::io(std::move(text));
}

Result<> run_zpool(std::vector<std::string> words, const std::string& pool, const ZfsOptions& options) {
  auto program = find_program(options.pool_program);
  if (!program) return std::move(program).error().remedy("install zfsutils-linux");
  words.push_back(pool);
  ZKV_TRY(const auto finished, run({*program, std::move(words), {}, options.limit}));
  return meaning_of_zpool(finished, pool);
}

}  // namespace

Result<std::string> history_of_pool(const std::string& pool, const ZfsOptions& options) {
  auto program = find_program(options.pool_program);
  if (!program) return std::move(program).error().remedy("install zfsutils-linux");
  ZKV_TRY(auto finished, run({*program, {"history", "-i", pool}, {}, options.limit}));
  ZKV_CHECK(meaning_of_zpool(finished, pool));
  return std::move(finished.output);
}

Result<> import_pool(const std::string& pool, const ZfsOptions& options) {
  return run_zpool({"import", "-N", "-o", "cachefile=none"}, pool, options);
}

Result<> export_pool(const std::string& pool, const ZfsOptions& options) {
  return run_zpool({"export"}, pool, options);
}

}  // namespace zkv::unlock
