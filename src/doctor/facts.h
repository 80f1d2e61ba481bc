// All that the doctor knows of a machine before it judges: gathered once, or made up by a test.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "doctor/unit_files.h"
#include "host/drift.h"
#include "host/enrolment.h"
#include "net/http_client.h"
#include "repository/change.h"
#include "unlock/crypttab.h"

namespace zkv::doctor {

/// A volume that zkv opens here.
struct VolumeFacts {
  std::string name;
  std::string kind = {};      ///< as Unlocker::name(); empty: not known before it is opened once
  std::string device = {};    ///< as its settings name it, or the path where it is
  std::string place = {};     ///< where it is mounted; empty: nowhere, or not known
  std::string options = {};   ///< as its settings have them
  std::string key_file = {};  ///< in which the system itself finds its key; empty: in none, or not known
  bool holds_system =
      false;  ///< / or /usr lies on it: the initramfs opens it, before all that is looked at here
};

struct LuksTwin {
  std::string path;
  bool is_open = false;
};
/// LUKS devices by the UUID that all of them carry, of each more than one.
using LuksTwins = std::map<std::string, std::vector<LuksTwin>>;

struct FstabEntry {
  std::string source;
  std::string mountpoint;  ///< "none" for swap
  std::string type;
  std::vector<std::string> options;
  std::vector<std::string> lies_on = {};  ///< mappings of cryptsetup, as far as they are open
};

/// A line of /etc/zfs/zfs-list.cache, from which zfs-mount-generator makes units.
struct CachedFilesystem {
  std::string name;
  std::string mountpoint;
  std::string canmount;
  std::string encryption_root;
  std::string key_location;
  bool is_ignored = false;  ///< org.openzfs.systemd:ignore
};

struct FileFacts {
  std::string path;
  std::string what;  ///< as in "the repository"
  uid_t owner = 0;
  mode_t mode = 0;
  bool is_secret = false;  ///< nobody else may even read it
  bool is_directory = false;
};

/// What came of speaking to one gateway.
struct GatewayFacts {
  std::string address;
  net::Obstacle obstacle = net::Obstacle::kConnection;
  std::optional<Error> trouble = std::nullopt;           ///< `obstacle` stood before any answer
  std::optional<Error> refusal = std::nullopt;           ///< it answered, and would not release a share
  std::optional<std::uint64_t> deciders = std::nullopt;  ///< people with a passkey; seen by a request alone
  std::optional<Time> certificate_ends = std::nullopt;   ///< of its chain, the first to end
};

struct Leftover {
  enum class Kind {
    kKey,
    kWords,
    kSomeParts,  ///< fewer than open
    kRepository,
    kOtherRepository,  ///< not known to be a copy of the one that the boot opens
  };
  std::string path;
  Kind kind = Kind::kKey;
};

/// What an initramfs asks with is a copy, of the files as they were when it was made.
struct EarlyFacts {
  struct File {
    std::string path;
    Time changed;
  };
  std::vector<File> copied;  ///< what a copy is made of; empty: no initramfs asks here
  std::vector<File> initramfses;
};

struct SwapDevice {
  std::string path;
  bool is_encrypted = false;  ///< or compressed memory
};

struct Facts {
  Units units = {};
  std::map<std::string, std::string, std::less<>> service_settings = {};  ///< of /etc/default/zfs-keyvault
  std::string kernel_command_line = {};

  std::vector<VolumeFacts> volumes = {};
  std::vector<host::Finding> left_over = {};    ///< by the last opening
  std::vector<host::Finding> unmountable = {};  ///< by the lines of fstab
  LuksTwins luks_twins = {};
  std::vector<unlock::CrypttabLine> crypttab = {};
  std::set<std::string> crypttab_key_files = {};  ///< that lines of it name, and that are there
  std::vector<FstabEntry> fstab = {};
  std::vector<CachedFilesystem> zfs_cache = {};
  bool has_zfs = false;
  std::optional<std::string> pool_cache = std::nullopt;  ///< the bytes of /etc/zfs/zpool.cache

  Time now = {};
  bool has_clock = true;  ///< one that runs while the machine is off
  bool has_tpm = true;
  uid_t user = 0;  ///< whose repository it is, besides root

  std::string repository = {};  ///< its path, every link followed
  std::optional<Error> repository_trouble = std::nullopt;
  std::optional<std::uint64_t> room = std::nullopt;  ///< bytes that can still be written beside it
  std::optional<repository::Description> description = std::nullopt;
  std::optional<repository::Description> previous = std::nullopt;
  std::optional<std::string> damage = std::nullopt;    ///< of the repository, though it can be read
  std::optional<std::string> rollback = std::nullopt;  ///< that an older file was put back
  bool are_enrolments_seen = true;                     ///< else this user may not look at them
  std::vector<host::Enrolment> enrolments = {};
  std::optional<Error> enrolment_trouble = std::nullopt;
  std::vector<host::Finding> lost_keys = {};  ///< of enrolments
  std::vector<GatewayFacts> gateways = {};
  std::vector<FileFacts> files = {};
  std::vector<Leftover> leftovers = {};
  EarlyFacts early = {};
  std::vector<SwapDevice> swaps = {};

  std::vector<std::string> unseen = {};  ///< what could not be looked at, and why
};

/// The unit of that name; one that is not there where it is not.
const Unit& unit_of(const Facts& facts, std::string_view name);
/// Addresses of gateways in /etc/default/zfs-keyvault.
std::vector<std::string> configured_gateways(const Facts& facts);
/// The volume that lies or is mounted at or above `path`, of those that the system does not lie on; nothing
/// where none does.
const VolumeFacts* volume_over(const Facts& facts, std::string_view path);

}  // namespace zkv::doctor
