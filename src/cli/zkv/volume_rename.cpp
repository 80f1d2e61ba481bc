// `zkv volume rename`: a volume that the machine knows by another name now, after `zpool import POOL NEW` or
// `zfs rename`, or a mapping that is to have another. Its key stays, and is tried there.
#include <algorithm>
#include <memory>

#include "key_input.h"
#include "repository/change.h"
#include "stored_volumes.h"
#include "volume_commands.h"

namespace zkv::cli {

namespace {

using repository::VolumeKeys;

struct RenameOptions {
  KeyOptions key;
  bool no_test = false;
  std::string from;
  std::string to;
};

/// A volume and its new name.
struct Move {
  VolumeKeys::Volume volume;
  std::string to;
};

bool is_zfs(const VolumeKeys::Volume& volume) { return volume.kind == repository::VolumeKind::kZfs; }

/// That volume and, as zfs(8) renames, the filesystems below it. All are of one kind. Errors: kNotFound.
Result<std::vector<Move>> moves_in(const VolumeKeys& keys, const RenameOptions& options) {
  auto volumes = keys.volumes();
  const auto itself = std::ranges::find(volumes, options.from, &VolumeKeys::Volume::name);
  const bool takes_along = itself == volumes.end() || is_zfs(*itself);
  std::vector<Move> moves;
  for (auto& volume : volumes) {
    const bool is_below = takes_along && is_zfs(volume) && volume.name.starts_with(options.from + "/");
    if (volume.name != options.from && !is_below) continue;
    std::string to = options.to + volume.name.substr(options.from.size());
    moves.push_back({std::move(volume), std::move(to)});
  }
  if (!moves.empty()) return moves;
  return Error::not_found("there is no volume " + options.from + " in the repository")
      .remedy("'zkv volume list' shows which there are");
}

Result<> check_free(const VolumeKeys& keys, const std::string& name) {
  if (!keys.contains(name)) return {};
  return Error::exists(name + " is in the repository already; nothing was renamed")
      .remedy("if two have changed names, rename one to a third name first, with --no-test");
}

/// What is open under one name would be opened once more under another.
Result<> check_not_open_as_before(unlock::Unlocker& unlocker, const Move& move) {
  const auto& settings = move.volume.settings;
  ZKV_TRY(const auto states, unlocker.inspect({{move.volume.name, settings}, {move.to, settings}}));
  if (!states[0].is_open || states[1].is_open) return {};
  return Error::conflict(move.volume.name + " is open under that name; nothing was renamed")
      .remedy("close it first: zkv unmount " + move.volume.name);
}

/// With the key that it has, or the one that takes its place.
unlock::Outcome tried(unlock::Unlocker& unlocker, VolumeKeys::Volume volume) {
  auto outcome = unlocker.open(std::span(&volume, 1), unlock::Attempt::kTrial, {}).front();
  if (outcome.happened != unlock::Happened::kWrongKey || volume.next_key.empty()) return outcome;
  volume.key = volume.next_key;
  volume.derived.reset();
  return unlocker.open(std::span(&volume, 1), unlock::Attempt::kTrial, {}).front();
}

/// Where others are renamed with it, it alone stands in the way of all.
std::string way_out(const std::string& name, bool is_alone) {
  if (is_alone)
    return "if you are sure that it is the same volume, rename it without trying its key: --no-test";
  return "if " + name + " is gone for good, remove it first (zkv volume remove --force " + name +
         "), or if it has another name, rename it first (zkv volume rename " + name +
         " ITS-NAME); --no-test tries the key of none of them";
}

Result<> try_there(unlock::Unlocker& unlocker, const Move& move, bool is_alone) {
  auto volume = move.volume;
  volume.name = move.to;
  const auto outcome = tried(unlocker, std::move(volume));
  if (is_success(outcome.happened) && outcome.happened != unlock::Happened::kUntried) return {};
  return Error::invalid(move.to + ": " +
                        (outcome.happened == unlock::Happened::kWrongKey
                             ? "the key of " + move.volume.name + " does not open it"
                             : outcome.detail) +
                        "; nothing was renamed")
      .remedy(way_out(move.volume.name, is_alone));
}

Result<> rename_volumes(Session& session, const RenameOptions& options) {
  if (options.from == options.to)
    return Error::invalid("both names are " + options.from + "; nothing was renamed");
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_key_to_change(session, options.key));
  Output out;
  std::vector<unlock::VolumeRef> proved;
  std::unique_ptr<unlock::Unlocker> unlocker;
  host::Renamed renamed;
  const auto rename = [&](VolumeKeys& keys) -> Result<> {
    ZKV_TRY(const auto moves, moves_in(keys, options));
    for (const auto& move : moves) ZKV_CHECK(check_free(keys, move.to));
    ZKV_TRY(unlocker, unlocker_named(repository::to_text(moves.front().volume.kind)));
    for (const auto& move : moves) {
      ZKV_CHECK(unlocker->check({move.to, move.volume.settings}));
      ZKV_CHECK(check_not_open_as_before(*unlocker, move));
      if (!options.no_test) ZKV_CHECK(try_there(*unlocker, move, moves.size() == 1));
      out << "Renamed " << move.volume.name << " to " << move.to << "\n";
      if (!options.no_test) proved.push_back({move.to, move.volume.settings});
    }
    for (const auto& move : moves) {
      ZKV_CHECK(keys.rename(move.volume.name, move.to));
      renamed.emplace(move.volume.name, move.to);
    }
    return {};
  };
  ZKV_CHECK(edit_volumes(session, key, rename, {}, renamed));
  for (const auto& volume : proved) keep_proof(session, *unlocker, volume);
  if (unlocker->family() == "dm-crypt") {
    out << "Lines of /etc/crypttab and /etc/fstab that name " << options.from << " want the new name, too\n";
  }
  return out.write();
}

}  // namespace

void add_volume_rename(CLI::App& volume, Session& session) {
  auto* command = volume.add_subcommand(
      "rename", "follow a volume to another name; with a ZFS filesystem or pool, what lies below it");
  const auto options = std::make_shared<RenameOptions>();
  add_key_options(*command, options->key);
  command->add_flag("--no-test", options->no_test, "without trying the key under the new name");
  command->add_option("NAME", options->from, "its name in the repository")->required();
  command->add_option("NEW", options->to, "its name from now on")->required();
  command->callback([&session, options] { session.exit_code = finish(rename_volumes(session, *options)); });
}

}  // namespace zkv::cli
