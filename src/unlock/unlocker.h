// What opens one kind of volume, seen from outside: look at volumes, open them with keys, mount, and back
// again. Every kind of volume is one implementation and one line in registry.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "repository/volume_keys.h"

namespace zkv::unlock {

/// What became of one volume. The words of `to_text` are part of the JSON that programs read.
enum class Happened {
  kOpened,         ///< its key is loaded now
  kAlreadyOpen,    ///< its key was loaded before; nothing was done
  kKeyFits,        ///< a trial: this key would open it
  kUntried,        ///< a trial: what opens it cannot try a key without opening; `detail` says so
  kServed,         ///< nothing is to be opened: others are handed its key
  kClosed,         ///< its key is unloaded now
  kAlreadyClosed,  ///< no key was loaded
  kWrongKey,       ///< the repository's key is not the volume's key
  kUnusableKey,    ///< the repository's key does not have the form that the volume wants
  kMissing,        ///< no volume has that name
  kPoolMissing,    ///< not even its pool is there (not imported)
  kNotAVolume,     ///< the name is there, but has no key of its own
  kInterrupted,    ///< not tried, since a stop was asked for
  kFailed,         ///< anything else; `detail` says what
};

/// Lower-case words with hyphens, as in "already-open".
std::string_view to_text(Happened happened);
/// True for all that leaves the volume in the state that was asked for.
bool is_success(Happened happened);

/// A volume without its key: what is left to know of it once the keys are wiped.
struct VolumeRef {
  std::string name;
  repository::VolumeSettings settings = {};
};

struct Outcome {
  std::string volume;
  Happened happened = Happened::kFailed;
  std::string detail;  ///< why, for a person; empty on success
  std::string remedy;  ///< what to do about it, or empty
  std::chrono::milliseconds took{0};
  bool is_as_before = false;  ///< it opened by the very key that opened it last time
};

enum class MountHappened {
  kMounted,
  kAlreadyMounted,
  kUnmounted,
  kSkipped,      ///< its own properties say that it is not to be mounted
  kHeldBack,     ///< not yet: it lies below a place where something else is still to be mounted
  kInterrupted,  ///< not tried, since a stop was asked for
  kFailed,       ///< `detail` says why
};

std::string_view to_text(MountHappened happened);
bool is_success(MountHappened happened);

/// What became of one filesystem; a volume can hold several, or none.
struct MountOutcome {
  std::string filesystem;
  std::string volume;      ///< the volume whose key it needs
  std::string mountpoint;  ///< a path, or what stands in its place ("legacy")
  MountHappened happened = MountHappened::kFailed;
  std::string detail;
};

enum class Presence { kPresent, kMissing, kPoolMissing, kNotAVolume, kUnknown };

struct VolumeState {
  std::string name;
  Presence presence = Presence::kPresent;
  bool is_open = false;
  bool is_mounted = false;
  std::string mountpoint;     ///< empty when it has none
  std::string device = {};    ///< the path of the block device that it lies on, if it is known
  bool is_served = false;     ///< its key is handed to others while it is open, and opens nothing by itself
  std::string key_file = {};  ///< where the system itself looks for its key; empty: it asks a person
};

/// What is known of a volume before it is open: how soon it can be, and what it has to do with others.
struct Survey {
  enum class Readiness {
    kThere,    ///< what it lies on is there, or open() says what is wrong with it
    kAwaited,  ///< its device is not there; open() waits for it a while
    kLast,     ///< it may lie on any other volume, and is tried when those have been
  };
  std::string volume;
  Readiness readiness = Readiness::kThere;
  std::vector<std::string> needs = {};         ///< paths that must be there before it can be opened
  std::vector<std::string> devices = {};       ///< paths at or below which its own devices come up
  std::vector<std::string> places = {};        ///< where its filesystems are to be mounted
  std::vector<std::string> maybe_places = {};  ///< where they may be, as far as can be told before it is open
};

/// What can be seen of a volume's key without having it: none of it tells anything of the key that the volume
/// itself does not tell to whoever reads its device.
struct Fingerprint {
  std::string volume;
  std::map<std::string, std::string> marks = {};  ///< while its key is the same, each stays as it is
  std::string last_change = {};  ///< when its key was changed last, as the system says; empty: not known
  std::string unseen = {};       ///< why a change of its key may not show here; empty: it does
};

/// Of the marks of `before` those that are gone or are others in `now`, and a later change: in words, empty
/// when the key is the same as far as can be seen.
std::string difference(const Fingerprint& before, const Fingerprint& now);

/// A key that was derived from a volume's passphrase, and opened it: kept, it spares the derivation next
/// time.
struct DerivedFor {
  std::string volume;
  std::uint64_t salt = 0;
  std::uint64_t iterations = 0;
  SecretBytes key;  ///< repository::kDerivedKeySize bytes
};

/// A volume that is to be made.
struct NewVolume {
  std::string name;
  repository::VolumeSettings settings = {};
  std::span<const std::uint8_t> key;         ///< new_key_size() random bytes, none of them zero
  std::string place = {};                    ///< the device that it is made on, where the kind has one
  std::vector<std::string> properties = {};  ///< NAME=VALUE, which there are is the kind's own
  std::string size = {};                     ///< of a block device within a pool, as the kind writes sizes
  std::string filesystem = {};               ///< to be made on it, as mkfs(8) names it
};

/// Puts them beside the passphrases in `keys`; what is not held there any more is left out, and so is what is
/// being given another key, since nothing says from which of the two it was derived. Errors: those of
/// VolumeKeys::set_derived().
Result<> keep_derived(repository::VolumeKeys& keys, const std::vector<DerivedFor>& derived);

enum class Attempt {
  kOpen,   ///< load the key
  kTrial,  ///< only check that the key fits; also where it is loaded already
};

class Unlocker {
 public:
  using Volume = repository::VolumeKeys::Volume;

  Unlocker() = default;
  Unlocker(const Unlocker&) = delete;
  Unlocker& operator=(const Unlocker&) = delete;
  virtual ~Unlocker() = default;

  [[nodiscard]] virtual repository::VolumeKind kind() const = 0;
  /// The kind's name for people and JSON, as in "zfs".
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Kinds of one family open side by side: open() of any of them takes volumes of all. Each kind is a family
  /// of its own where nothing else is said.
  [[nodiscard]] virtual std::string_view family() const { return name(); }

  /// Whether a volume of this kind can have this name and these settings. Errors: kInvalid.
  [[nodiscard]] virtual Result<> check(const VolumeRef& volume) const = 0;

  /// The state of each volume, in the order given. Errors: kNotFound (the kind's tools are not installed),
  /// kIo, kCorrupt (the tools' answer is not understood).
  [[nodiscard]] virtual Result<std::vector<VolumeState>> inspect(const std::vector<VolumeRef>& volumes) = 0;
  /// All volumes of this kind that the machine has; one that is closed, and has no name before it is open, is
  /// named by its device. Errors: as inspect.
  [[nodiscard]] virtual Result<std::vector<VolumeState>> discover() = 0;

  /// What ties each volume to others, in the order given; asked anew while more and more is open. Errors: as
  /// inspect.
  [[nodiscard]] virtual Result<std::vector<Survey>> survey(const std::vector<VolumeRef>& volumes) = 0;

  /// What can be seen of each volume's key now, in the order given; of one that is not there, or whose kind
  /// leaves nothing to see, no marks. Loads nothing and changes nothing.
  [[nodiscard]] virtual std::vector<Fingerprint> fingerprints(const std::vector<VolumeRef>& volumes);

  /// Tries each volume (of this kind, or of its family) with its key, one outcome for each in the order
  /// given; one that fails stops no other. After a stop request what has begun is finished and the rest is
  /// kInterrupted.
  [[nodiscard]] virtual std::vector<Outcome> open(std::span<const Volume> volumes, Attempt attempt,
                                                  const std::stop_token& stop) = 0;
  /// Opens those of `volumes` whose key needs no look at the volume: it opened it last time, or is one that
  /// is not derived from anything, and a try is cheaper than a look. Gives the outcomes of those alone that
  /// opened; of the others nothing is known then, and open() is for them.
  [[nodiscard]] virtual std::vector<Outcome> open_at_sight(std::span<const Volume> /*volumes*/,
                                                           const std::stop_token& /*stop*/) {
    return {};
  }
  /// What open() derived since this was last asked, because a volume came without it or with one that no
  /// longer fits.
  [[nodiscard]] virtual std::vector<DerivedFor> take_derived() { return {}; }
  /// How many bytes a key has that is made for a new volume; 0: this kind makes none.
  [[nodiscard]] virtual std::size_t new_key_size() const { return 0; }
  /// Makes the volume and leaves it open. What holds anything already is never overwritten. Errors: kExists,
  /// kInvalid (words that the kind does not know), kUnsupported, kDenied, kIo.
  [[nodiscard]] virtual Result<> create(const NewVolume& volume);

  /// Whether such a volume's key can be changed here. Errors: kUnsupported, with why not, and how it is done
  /// otherwise.
  [[nodiscard]] virtual Result<> check_change(const VolumeRef& volume) const;
  /// Makes `key`, of new_key_size() bytes, open the volume, which `volume.key` opens now; afterwards that may
  /// open it, too. Cut off anywhere, one of the two opens it. Errors: kConflict (it is to be open for this),
  /// kWrongKey, kDenied, kIo, those of check_change().
  [[nodiscard]] virtual Result<> give_key(const Volume& volume, std::span<const std::uint8_t> key);
  /// Lets `key` open the volume no more, which `volume.key` opens, too. Idempotent. Errors: as give_key().
  [[nodiscard]] virtual Result<> take_key(const Volume& volume, std::span<const std::uint8_t> key);

  /// Forgets the keys of `volumes`, children first. What is still in use is kFailed, and so is what has a
  /// volume's name but lies on another device.
  [[nodiscard]] virtual std::vector<Outcome> close(const std::vector<VolumeRef>& volumes,
                                                   const std::stop_token& stop) = 0;

  /// Mounts every filesystem that hangs on the keys of the (open) `volumes`, parents first.
  [[nodiscard]] Result<std::vector<MountOutcome>> mount(const std::vector<VolumeRef>& volumes,
                                                        const std::stop_token& stop) {
    return mount_unheld(volumes, {}, stop);
  }
  /// The same, but what lies below one of `held` (clean paths) is kHeldBack.
  [[nodiscard]] virtual Result<std::vector<MountOutcome>> mount_unheld(const std::vector<VolumeRef>& volumes,
                                                                       const std::vector<std::string>& held,
                                                                       const std::stop_token& stop) = 0;
  /// What is to be mounted of open `volumes` and cannot be as fstab says it, each with why (kFailed). What
  /// this user cannot look at is left out.
  [[nodiscard]] virtual std::vector<MountOutcome> contradictions(const std::vector<VolumeRef>& /*volumes*/) {
    return {};
  }
  /// Unmounts what mount() mounts, children first.
  [[nodiscard]] virtual Result<std::vector<MountOutcome>> unmount(const std::vector<VolumeRef>& volumes,
                                                                  const std::stop_token& stop) = 0;
};

}  // namespace zkv::unlock
