// What a repository holds: volumes and their keys, in the order in which they were added.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::repository {

/// Kinds of volume; the number is what the file holds. More follow as unlockers do, so a number that is not
/// named here may come out of a file that a later zkv wrote, and goes back into it unchanged.
enum class VolumeKind : std::uint16_t {
  kZfs = 1,
  kLuks = 2,
  kPlain = 3,
  kBitlk = 4,
  kTcrypt = 5,
  kFvault2 = 6,
  kCommand = 7,
  kSecret = 8,
};
/// The kind's word, as in "zfs"; "kind 99" for one that is not named here.
std::string to_text(VolumeKind kind);

/// Where a volume is found and what becomes of it once it is open; what is empty was not said.
struct VolumeSettings {
  std::string device = {};      ///< a path, or a tag as fstab has it, such as "UUID=…"
  std::string mountpoint = {};  ///< a path
  std::string options = {};     ///< words with commas between them; which there are is the kind's own
  std::string program = {};     ///< a path: what opens it, for a kind that leaves that to a program

  bool operator==(const VolumeSettings&) const = default;
};

/// A wrapping key that was derived from a passphrase, and from what: with another salt or number of
/// iterations it is worth nothing.
struct DerivedKey {
  std::uint64_t salt = 0;
  std::uint64_t iterations = 0;
  std::span<const std::uint8_t> key;  ///< kDerivedKeySize bytes, whose owner it points to
};
inline constexpr std::size_t kDerivedKeySize = 32;

/// What no setting may be but empty or: UTF-8 without control characters, at most kLongestSetting bytes.
bool is_sound_setting(std::string_view text);
inline constexpr std::size_t kLongestSetting = 4096;

/// The names and keys of all volumes. All keys rest in one run of secret memory, so that a thousand of them
/// cost no more locked pages than their bytes need. Names of what was removed stay in memory as long as this
/// does.
class VolumeKeys {
 public:
  VolumeKeys() = default;
  /// For the readers of files: keys that lie in `text` stay where they are.
  explicit VolumeKeys(SecretBytes text);

  struct Volume {
    std::string name;
    VolumeKind kind = VolumeKind::kZfs;
    std::span<const std::uint8_t> key;  ///< lives as long as the VolumeKeys, until it is next changed
    /// Fields of the entry that this program does not know, as they stood in the file.
    std::span<const std::uint8_t> unknown_fields;
    VolumeSettings settings = {};
    std::optional<DerivedKey> derived = std::nullopt;  ///< of `key`; lives as long as that
    /// The key that takes the place of `key`: which of the two the volume has by now is seen by trying them.
    /// Empty: its key is not being changed. Lives as long as `key`.
    std::span<const std::uint8_t> next_key = {};
  };

  [[nodiscard]] std::size_t size() const;
  /// All volumes, first added first.
  [[nodiscard]] std::vector<Volume> volumes() const;
  /// Tells of each volume, first added first, without a copy of all that is known of it.
  void for_each(const std::function<void(std::string_view name, VolumeKind kind)>& tell) const;
  /// How many volumes' keys are being changed, as begin_change() says.
  [[nodiscard]] std::size_t changing() const;
  [[nodiscard]] bool contains(std::string_view name) const;

  /// Errors: kInvalid (empty name, empty key), kExists unless `replace`; a replaced volume keeps its place,
  /// its settings and its unknown fields, but neither a derived nor a next key. One of another kind is never
  /// replaced: kExists.
  Result<> add(std::string_view name, VolumeKind kind, std::span<const std::uint8_t> key,
               bool replace = false);
  /// What a key that nobody has tried must not take the place of: two keys, one of which opens the volume.
  /// Errors: kConflict.
  [[nodiscard]] Result<> check_settled(std::string_view name) const;
  /// Errors: kNotFound, kInvalid (a setting that is not sound).
  Result<> set_settings(std::string_view name, VolumeSettings settings);
  /// Errors: kNotFound, kInvalid (not kDerivedKeySize bytes).
  Result<> set_derived(std::string_view name, const DerivedKey& derived);
  /// Begins to change a volume's key: both are held until finish_change(). Errors: kNotFound, kInvalid (an
  /// empty key).
  Result<> begin_change(std::string_view name, std::span<const std::uint8_t> next_key);
  /// The next key takes the place of the key, whose derived key goes with it. Errors: kNotFound (also where
  /// no change was begun).
  Result<> finish_change(std::string_view name);
  /// All else that is known of it stays. Errors: kNotFound, kExists, kInvalid (an empty name).
  Result<> rename(std::string_view name, std::string_view new_name);
  /// Errors: kNotFound.
  Result<> remove(std::string_view name);

  /// For the readers of files: takes a volume as it stands, without a check; the last of one name wins.
  void restore(const Volume& volume);
  /// The same of a volume of which no more is known. A key that lies in the text that this was made of stays
  /// there, and must not lie in two volumes.
  void restore(std::string_view name, VolumeKind kind, std::span<const std::uint8_t> key);
  /// Makes room for so many bytes of keys at once.
  void reserve(std::size_t bytes);

  /// Records of the file that are no volumes and that this program does not know, as they stood there.
  [[nodiscard]] std::span<const std::uint8_t> unknown_records() const;
  void set_unknown_records(std::span<const std::uint8_t> records);

 private:
  struct Slice {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  struct Entry {
    std::pmr::string name;
    VolumeKind kind = VolumeKind::kZfs;
    Slice key = {};
    Slice unknown_fields = {};
    std::unique_ptr<const VolumeSettings> settings =
        nullptr;  ///< null where nothing was said: most volumes of a NAS
    Slice derived = {};
    std::uint64_t derived_salt = 0;
    std::uint64_t derived_iterations = 0;
    Slice next_key = {};
  };

  Entry& put(std::string_view name, VolumeKind kind, const Slice& key);
  void keep_derived(Entry& entry, const DerivedKey& derived);
  SecretBytes make_room(std::size_t bytes);
  Slice store(std::span<const std::uint8_t> bytes);
  Slice take_in(std::span<const std::uint8_t> bytes);
  void forget(const Slice& slice);
  [[nodiscard]] std::span<const std::uint8_t> bytes(const Slice& slice) const;
  [[nodiscard]] Entry* find(std::string_view name);

  /// In memory that is given back as one: a program that lists a thousand volumes does little else than this.
  struct Table {
    std::pmr::monotonic_buffer_resource memory;
    std::pmr::list<Entry> entries{&memory};
    /// By the entries' own names.
    std::pmr::unordered_map<std::string_view, std::pmr::list<Entry>::iterator> places{&memory};
  };

  std::unique_ptr<Table> table_ = std::make_unique<Table>();  ///< null when moved from
  Slice unknown_records_;
  SecretBytes arena_;
  std::size_t used_ = 0;
};

}  // namespace zkv::repository
