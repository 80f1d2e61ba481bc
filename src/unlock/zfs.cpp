// The ZFS unlocker: what is there, and which keys are wanted of it.
#include "unlock/zfs.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "unlock/mount_place.h"
#include "unlock/order.h"
#include "unlock/system_tool.h"
#include "unlock/zfs_cover.h"
#include "unlock/zfs_fingerprint.h"
#include "unlock/zfs_load.h"
#include "unlock/zfs_mount.h"
#include "unlock/zfs_mounter.h"
#include "unlock/zfs_outcome.h"
#include "unlock/zfs_pool.h"
#include "unlock/zfs_program.h"
#include "unlock/zfs_survey.h"
#include "unlock/zvol_use.h"

namespace zkv::unlock {

namespace {

std::vector<std::string> names_of(const std::vector<VolumeRef>& volumes) {
  std::vector<std::string> names;
  names.reserve(volumes.size());
  for (const auto& volume : volumes) names.push_back(volume.name);
  return names;
}

/// The option word with which a volume's pool comes and goes with it.
constexpr std::string_view kImport = "import";

/// A name that no dataset can have is a slip of the fingers, and one with control characters worse.
/// Source: zfs(8), "Dataset and Snapshot Names".
bool can_be_dataset(const std::string& name) {
  const bool has_odd_slash =
      name.starts_with('/') || name.ends_with('/') || name.find("//") != std::string::npos;
  const bool has_odd_character = std::any_of(name.begin(), name.end(), [](unsigned char c) {
    return c < 0x20 || c == 0x7f || c == '@' || c == '#';
  });
  return !has_odd_slash && !has_odd_character;
}

/// What `zfs create` may be told. Source: zfsprops(7).
Result<> check_new_zfs(const NewVolume& volume) {
  if (!volume.filesystem.empty()) {
    return Error::invalid("a ZFS filesystem is one already").remedy("leave --filesystem out");
  }
  if (!is_dataset_name(volume.name) || volume.name.find('/') == std::string::npos) {
    return Error::invalid("a new filesystem is named POOL/NAME");
  }
  if (volume.size.starts_with('-')) return Error::invalid("a size is a number, such as 10G");
  for (const auto& property : volume.properties) {
    const auto name = property.substr(0, property.find('='));
    if (name.empty() || name == property || name.starts_with('-')) {
      return Error::invalid("a property is given as NAME=VALUE, not as " + property);
    }
    const auto value = property.substr(name.size() + 1);
    if (name == "mountpoint" && value.starts_with('/')) ZKV_CHECK(check_mount_place(clean_path(value)));
    if (name == "keyformat" || name == "keylocation" || name == "pbkdf2iters" ||
        property == "encryption=off") {
      return Error::invalid("the property " + name + " is not yours to choose here")
          .remedy("make the filesystem with zfs create, and add it: zkv volume add " + volume.name);
    }
  }
  return {};
}

class ZfsUnlocker final : public Unlocker {
 public:
  explicit ZfsUnlocker(ZfsOptions options) : options_(std::move(options)) {}

  [[nodiscard]] repository::VolumeKind kind() const override { return repository::VolumeKind::kZfs; }
  [[nodiscard]] std::string_view name() const override { return "zfs"; }

  [[nodiscard]] Result<> check(const VolumeRef& volume) const override {
    if (!can_be_dataset(volume.name)) {
      return Error::invalid("no ZFS filesystem can have that name")
          .remedy("give it as 'zfs list' shows it, such as tank/home");
    }
    const auto& settings = volume.settings;
    const bool is_sound = settings.device.empty() && settings.mountpoint.empty() &&
                          settings.program.empty() &&
                          (settings.options.empty() || settings.options == kImport);
    if (is_sound) return {};
    return Error::invalid(
               "a ZFS filesystem has neither device nor mount point nor program here, and no option but "
               "import")
        .remedy("its own properties say where it is mounted: zfs get mountpoint,canmount " + volume.name);
  }

  [[nodiscard]] Result<std::vector<VolumeState>> inspect(const std::vector<VolumeRef>& volumes) override {
    const auto names = names_of(volumes);
    ZKV_TRY(const auto program, ZfsProgram::find(options_.program, options_.limit));
    ZKV_TRY(const auto listing, look_at(program, names));
    std::vector<VolumeState> states;
    states.reserve(names.size());
    for (const auto& name : names) states.push_back(state_of(name, listing));
    return states;
  }

  [[nodiscard]] Result<std::vector<VolumeState>> discover() override {
    ZKV_TRY(const auto program, ZfsProgram::find(options_.program, options_.limit));
    ZKV_TRY(const auto listing, program.list({}, Depth::kNamed));
    std::vector<VolumeState> states;
    for (const auto& [name, dataset] : listing.datasets) {
      // What a zfs receive goes on with some time is a replica: it has its key elsewhere.
      if (dataset.has_own_key() && !dataset.has_resume_token) states.push_back(state_of(name, listing));
    }
    return states;
  }

  [[nodiscard]] Result<std::vector<Survey>> survey(const std::vector<VolumeRef>& volumes) override {
    ZKV_TRY(const auto program, ZfsProgram::find(options_.program, options_.limit));
    const auto names = names_of(volumes);
    auto pools = pools_of(dataset_names(names));
    ZKV_TRY(auto listing, list_pools(program, pools));
    auto surveys = survey_zfs(names, listing);
    seen_ = Seen{std::move(pools), std::move(listing)};
    return surveys;
  }

  [[nodiscard]] std::vector<Fingerprint> fingerprints(const std::vector<VolumeRef>& volumes) override {
    return zfs_fingerprints(names_of(volumes), options_);
  }

  [[nodiscard]] std::vector<Outcome> open(std::span<const Volume> volumes, Attempt attempt,
                                          const std::stop_token& stop) override {
    seen_.reset();
    std::vector<std::string> names;
    for (const auto& volume : volumes) names.push_back(volume.name);
    const auto program = ZfsProgram::find(options_.program, options_.limit);
    auto listing = program ? look_at(*program, names) : tl::unexpected(program.error());
    if (!listing) return all_failed(names, listing.error());
    const auto refused =
        attempt == Attempt::kOpen ? import_missing(volumes, *listing) : std::map<std::string, Error>();
    if (attempt == Attempt::kOpen && !imported_.empty()) listing = look_at(*program, names);
    if (!listing) return all_failed(names, listing.error());
    std::vector<Outcome> outcomes(volumes.size());
    std::vector<KeyLoad> loads;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < volumes.size(); ++i) {
      if (auto settled = settled_before_loading(names[i], *listing, attempt)) {
        outcomes[i] = std::move(*settled);
        const bool comes_later = attempt == Attempt::kTrial && brings_its_pool(volumes[i].settings);
        if (comes_later && outcomes[i].happened == Happened::kPoolMissing) {
          outcomes[i] = {names[i], Happened::kUntried, "its pool is imported only when it is opened", {}, {}};
          continue;
        }
        const auto found = refused.find(std::string(pool_of(names[i])));
        if (found == refused.end() || outcomes[i].happened != Happened::kPoolMissing) continue;
        outcomes[i].detail = found->second.message();
        if (!found->second.remedy().empty()) outcomes[i].remedy = found->second.remedy();
        continue;
      }
      loads.push_back(
          {names[i], volumes[i].key, listing->datasets.find(names[i])->second.key, volumes[i].derived});
      places.push_back(i);
    }
    auto loaded = load_keys(loads, attempt, options_, *program, stop);
    for (std::size_t i = 0; i < loads.size(); ++i) {
      outcomes[places[i]] = outcome_of(loads[i].name, loaded[i], attempt);
      if (loaded[i].derived.empty()) continue;
      derived_.push_back(
          {loads[i].name, loads[i].rule.salt, loads[i].rule.iterations, std::move(loaded[i].derived)});
    }
    return outcomes;
  }

  [[nodiscard]] std::vector<Outcome> open_at_sight(std::span<const Volume> volumes,
                                                   const std::stop_token& stop) override {
    seen_.reset();
    std::vector<KeyLoad> loads;
    for (const auto& volume : volumes) {
      if (!volume.next_key.empty() || !is_dataset_name(volume.name)) continue;
      const KeyRule rule =
          volume.derived ? KeyRule{KeyFormat::kPassphrase, volume.derived->iterations, volume.derived->salt}
                         : KeyRule{KeyFormat::kRaw, 0, 0};
      loads.push_back({volume.name, volume.key, rule, volume.derived});
    }
    const auto loaded = load_keys_at_sight(loads, options_, stop);
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < loaded.size(); ++i) {
      if (!loaded[i].result) continue;
      outcomes.push_back(outcome_of(loads[i].name, loaded[i], Attempt::kOpen));
      outcomes.back().is_as_before = loads[i].derived.has_value();
    }
    return outcomes;
  }

  [[nodiscard]] std::vector<DerivedFor> take_derived() override { return std::exchange(derived_, {}); }

  [[nodiscard]] std::size_t new_key_size() const override { return kWrappingKeySize; }

  [[nodiscard]] Result<> create(const NewVolume& volume) override {
    seen_.reset();
    ZKV_CHECK(check_new_zfs(volume));
    ZKV_TRY(const auto program, ZfsProgram::find(options_.program, options_.limit));
    return program.create(volume.name, volume.properties, volume.size, volume.key);
  }

  [[nodiscard]] Result<> check_change(const VolumeRef& volume) const override {
    if (is_dataset_name(volume.name)) return {};
    return Error::unsupported("no ZFS filesystem can have that name");
  }

  /// One transaction of the pool.
  [[nodiscard]] Result<> give_key(const Volume& volume, std::span<const std::uint8_t> key) override {
    ZKV_CHECK(check_change({volume.name, volume.settings}));
    ZKV_TRY(const auto program, ZfsProgram::find(options_.program, options_.limit));
    ZKV_TRY(const auto listing, look_at(program, {volume.name}));
    if (presence_of(volume.name, listing) != Presence::kPresent) {
      const auto missing = not_there(volume.name, listing);
      return Error::not_found(missing.detail).remedy(missing.remedy);
    }
    if (!listing.datasets.find(volume.name)->second.is_key_loaded) {
      return Error::conflict("it is not open, and ZFS changes keys of what is open alone")
          .remedy("zkv mount");
    }
    return program.change_key(volume.name, key);
  }

  /// There is only ever one.
  [[nodiscard]] Result<> take_key(const Volume& /*volume*/, std::span<const std::uint8_t> /*key*/) override {
    return {};
  }

  [[nodiscard]] std::vector<Outcome> close(const std::vector<VolumeRef>& volumes,
                                           const std::stop_token& stop) override {
    seen_.reset();
    const auto names = names_of(volumes);
    const auto program = ZfsProgram::find(options_.program, options_.limit);
    const auto listing = program ? look_at(*program, names) : tl::unexpected(program.error());
    if (!listing) return all_failed(names, listing.error());
    std::vector<Outcome> outcomes(names.size());
    std::vector<std::string> wanted;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (auto settled = settled_before_unloading(names[i], *listing)) {
        outcomes[i] = std::move(*settled);
        continue;
      }
      wanted.push_back(names[i]);
      places.push_back(i);
    }
    const auto unloaded = unload_keys(wanted, options_, *program, stop);
    std::vector<std::size_t> busy;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      outcomes[places[i]] = closed(wanted[i], unloaded[i]);
      if (is_busy(unloaded[i])) busy.push_back(places[i]);
    }
    if (stop.stop_requested()) return outcomes;
    name_uses(*program, options_, busy, outcomes);
    let_pools_go(*program, volumes, outcomes);
    return outcomes;
  }

  [[nodiscard]] Result<std::vector<MountOutcome>> mount_unheld(const std::vector<VolumeRef>& volumes,
                                                               const std::vector<std::string>& held,
                                                               const std::stop_token& stop) override {
    ZKV_TRY(const auto program, ZfsProgram::find(options_.program, options_.limit));
    const auto roots = dataset_names(names_of(volumes));
    ZKV_TRY(const auto listing, listing_of_pools(program, roots));
    const Cover cover(in_mount_order(listing.datasets, roots, own_pools(roots)), listing.datasets, held,
                      [&](const Dataset& dataset) { return program.unmount(dataset.name); });
    ZfsMounter mounter(options_, program);
    auto mounts = mount_all(cover.ordered(), held, stop,
                            [&](const auto& datasets) { return mounter.mount(datasets, stop); });
    if (const auto left = cover.left_out(mounts); !left.empty()) static_cast<void>(mounter.mount(left, {}));
    cover.tell_what_is_hidden(mounts);
    return mounts;
  }

  [[nodiscard]] Result<std::vector<MountOutcome>> unmount(const std::vector<VolumeRef>& volumes,
                                                          const std::stop_token& stop) override {
    ZKV_TRY(const auto program, ZfsProgram::find(options_.program, options_.limit));
    const auto roots = dataset_names(names_of(volumes));
    ZKV_TRY(const auto listing, listing_of_pools(program, roots));
    auto ordered = in_mount_order(listing.datasets, roots);
    std::erase_if(ordered, [](const Dataset& dataset) { return dataset.unclear == kNothingSaid; });
    return unmount_all(ordered, stop, [&](const Dataset& dataset) { return unmount_one(program, dataset); });
  }

 private:
  /// The properties of `names`, and of their pools, which tells a missing dataset from a missing pool.
  static Result<Listing> look_at(const ZfsProgram& program, const std::vector<std::string>& names) {
    Names wanted;
    for (const auto& name : names) {
      if (!is_dataset_name(name)) continue;
      wanted.insert(name);
      wanted.emplace(pool_of(name));
    }
    if (wanted.empty()) return Listing();
    return program.list({wanted.begin(), wanted.end()}, Depth::kNamed);
  }

  static Names dataset_names(const std::vector<std::string>& names) {
    Names datasets;
    std::copy_if(names.begin(), names.end(), std::inserter(datasets, datasets.end()), is_dataset_name);
    return datasets;
  }

  static Result<Listing> list_pools(const ZfsProgram& program, const Names& pools) {
    if (pools.empty()) return Listing();
    return program.list({pools.begin(), pools.end()}, Depth::kAllBelow);
  }

  /// All that is in the pools of `roots`, as it was seen last, or now.
  Result<Listing> listing_of_pools(const ZfsProgram& program, const Names& roots) {
    const auto wanted = pools_of(roots);
    auto seen = std::exchange(seen_, std::nullopt);
    if (seen && std::ranges::includes(seen->pools, wanted)) return std::move(seen->listing);
    return list_pools(program, wanted);
  }

  /// Those of the pools of `roots` that this unlocker has imported.
  [[nodiscard]] Names own_pools(const Names& roots) const {
    Names own;
    std::ranges::set_intersection(pools_of(roots), imported_, std::inserter(own, own.end()));
    return own;
  }

  /// Imports the pools of those volumes that bring theirs. What was refused, by pool.
  std::map<std::string, Error> import_missing(std::span<const Volume> volumes, const Listing& listing) {
    std::map<std::string, Error> refused;
    for (const auto& volume : volumes) {
      const std::string pool(pool_of(volume.name));
      const bool is_wanted = brings_its_pool(volume.settings) && is_dataset_name(volume.name) &&
                             presence_of(volume.name, listing) == Presence::kPoolMissing;
      if (!is_wanted || imported_.contains(pool) || refused.contains(pool)) continue;
      auto imported = import_pool(pool, options_);
      if (imported) {
        imported_.insert(pool);
      } else {
        refused.emplace(pool, std::move(imported).error());
      }
    }
    return refused;
  }

  /// A pool that came with its volumes goes when the last of its keys is gone.
  void let_pools_go(const ZfsProgram& program, const std::vector<VolumeRef>& volumes,
                    std::vector<Outcome>& outcomes) const {
    for (std::size_t i = 0; i < volumes.size(); ++i) {
      const std::string pool(pool_of(volumes[i].name));
      if (!brings_its_pool(volumes[i].settings)) continue;
      if (outcomes[i].happened == Happened::kPoolMissing) {
        outcomes[i] = {volumes[i].name, Happened::kAlreadyClosed, {}, {}, {}};
      }
      if (!is_success(outcomes[i].happened)) continue;
      const auto listing = program.list({pool}, Depth::kAllBelow);
      if (!listing || listing->datasets.empty() || has_key(*listing)) continue;
      if (const auto gone = export_pool(pool, options_); !gone) {
        outcomes[i] = failure(volumes[i].name, Happened::kFailed, gone.error());
      }
    }
  }

  /// zfs(8) leaves a legacy mount point to umount(8).
  [[nodiscard]] Result<> unmount_one(const ZfsProgram& program, const Dataset& dataset) const {
    if (dataset.mountpoint != "legacy") return program.unmount(dataset.name);
    return run_tool("umount", {dataset.name}, 0, options_.limit).map([](const auto&) {});
  }

  static bool has_key(const Listing& listing) {
    return std::any_of(listing.datasets.begin(), listing.datasets.end(), [](const auto& entry) {
      return entry.second.has_own_key() && entry.second.is_key_loaded;
    });
  }

  /// A look at all that is in `pools`.
  struct Seen {
    Names pools;
    Listing listing;
  };

  ZfsOptions options_;
  std::vector<DerivedFor> derived_;
  std::optional<Seen> seen_;  ///< the last look, while nothing has been done since that would change it
  Names imported_;  ///< pools that this unlocker has imported, and whose other filesystems it mounts too
};

}  // namespace

bool brings_its_pool(const repository::VolumeSettings& settings) { return settings.options == kImport; }

std::unique_ptr<Unlocker> make_zfs_unlocker(ZfsOptions options) {
  return std::make_unique<ZfsUnlocker>(std::move(options));
}

}  // namespace zkv::unlock
