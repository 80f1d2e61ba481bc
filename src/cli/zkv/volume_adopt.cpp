// `zkv volume adopt`: takes what on this machine is encrypted into the repository, each with a key that was
// tried.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/plain_text.h"
#include "host/adoptable.h"
#include "key_input.h"
#include "stored_volumes.h"
#include "terminal.h"
#include "unlock/registry.h"
#include "unlock/zfs_properties.h"
#include "volume_commands.h"

namespace zkv::cli {

namespace {

using host::Adoptable;
using repository::VolumeKeys;

constexpr std::size_t kLongestAdoptedKey = std::size_t{8} << 20U;  // cryptsetup's own limit
constexpr int kKeyTries = 3;

struct AdoptOptions {
  KeyOptions key;
  bool list = false;
  bool json = false;
};

void print_adoptable(const std::vector<Adoptable>& volumes, const host::Unlockers& unlockers, Output& out) {
  std::size_t width = 6;
  std::size_t device = 6;
  for (const auto& volume : volumes) {
    width = std::max(width, volume.name.size());
    device = std::max(device, volume.settings.device.size());
  }
  out << fmt::format("{:<{}}  {:<7}  {:<{}}  {}\n", "VOLUME", width, "KIND", "DEVICE", device, "ITS KEY NOW");
  for (const auto& volume : volumes) {
    out << fmt::format("{:<{}}  {:<7}  {:<{}}  {}\n", plain_text(volume.name), width,
                       unlockers[volume.kind]->name(),
                       volume.settings.device.empty() ? "-" : plain_text(volume.settings.device), device,
                       volume.key_file.empty() ? "is asked for" : "in " + plain_text(volume.key_file));
  }
}

void print_adoptable_json(const std::vector<Adoptable>& volumes, const host::Unlockers& unlockers,
                          Output& out) {
  out << "{\"volumes\":[";
  for (const auto& volume : volumes) {
    if (&volume != &volumes.front()) out << ",";
    out << "{\"volume\":";
    out.json(volume.name) << ",\"kind\":";
    out.json(unlockers[volume.kind]->name()) << ",\"device\":";
    out.json(volume.settings.device) << ",\"options\":";
    out.json(volume.settings.options) << ",\"key_file\":";
    out.json(volume.key_file) << ",\"crypttab\":" << (volume.is_in_crypttab ? "true}" : "false}");
  }
  out << "]}\n";
}

/// The outcome of trying `key`, and what was derived on the way.
struct Trial {
  unlock::Outcome outcome;
  std::vector<unlock::DerivedFor> derived;
};

Trial tried_with(unlock::Unlocker& unlocker, const Adoptable& volume, const SecretBytes& key) {
  const Hush nothing_typed_is_shown;
  const VolumeKeys::Volume one{volume.name, unlocker.kind(), key.span(), {}, volume.settings};
  Trial trial{unlocker.open(std::span(&one, 1), unlock::Attempt::kTrial, {}).front(), {}};
  trial.derived = unlocker.take_derived();
  return trial;
}

/// From the volume's key file first, then from a person where there is one; nothing where the person leaves
/// it out.
class Adoption {
 public:
  Adoption(Session& session, const SecretBytes& repository_key, unlock::Unlocker& unlocker,
           const Adoptable& volume)
      : session_(session), repository_key_(repository_key), unlocker_(unlocker), volume_(volume) {}

  /// Whether it is in the repository now.
  Result<bool> run() {
    ZKV_CHECK(unlocker_.check({volume_.name, volume_.settings}));
    if (!volume_.key_file.empty()) {
      ZKV_TRY(const bool is_done, by_key_file());
      if (is_done) return true;
    }
    if (!has_terminal()) return false;
    for (int tries = 0; tries < kKeyTries; ++tries) {
      ZKV_TRY(const auto key,
              ask_for_line("Key of " + plain_text(volume_.name) + " (empty: leave it out)", Echo::kOff));
      if (key.empty()) return false;
      ZKV_TRY(const bool is_done, by_key(key));
      if (is_done) return true;
    }
    return false;
  }

 private:
  Result<bool> by_key_file() {
    auto key = read_secret_file(volume_.key_file, kLongestAdoptedKey);
    if (!key) {
      tell(volume_.name + ": " + key.error().message());
      return false;
    }
    tell(plain_text(volume_.name) + ": trying the key in " + plain_text(volume_.key_file));
    return by_key(*key);
  }

  Result<bool> by_key(const SecretBytes& key) {
    const auto trial = tried_with(unlocker_, volume_, key);
    if (!unlock::is_success(trial.outcome.happened)) {
      tell(plain_text(volume_.name) + ": " +
           (trial.outcome.happened == unlock::Happened::kWrongKey ? "this key does not open it"
                                                                  : plain_text(trial.outcome.detail)));
      return false;
    }
    ZKV_CHECK(store_volume(session_, repository_key_,
                           {volume_.name, unlocker_.kind(), key.span(), {}, volume_.settings},
                           trial.derived));
    keep_proof(session_, unlocker_, {volume_.name, volume_.settings});
    tell(plain_text(volume_.name) + ": its key fits, and is in the repository");
    return true;
  }

  Session& session_;
  const SecretBytes& repository_key_;
  unlock::Unlocker& unlocker_;
  const Adoptable& volume_;
};

/// What still opens it without anybody's approval, or asks for it beside zkv.
void print_what_is_left(const Adoptable& volume, bool holds_system, Output& out) {
  const std::string name = plain_text(volume.name);
  if (holds_system) {
    out << "This system lies on " << name
        << ": leave its lines in crypttab and fstab as they are; zkv opens it where zkv-initramfs or "
           "zkv-dracut is installed, "
           "and its passphrase at the console does, too\n";
    return;
  }
  if (volume.is_in_crypttab) {
    out << name
        << " stands in /etc/crypttab too, so that the boot asks for it as well: add noauto to its line, or "
           "let it ask zkv (zkv crypttab install "
        << name << ")\n";
  }
  if (unlock::brings_its_pool(volume.settings) && volume.device.empty()) {
    const auto pool = plain_text(unlock::pool_of(volume.name));
    out << pool << " lies on an encrypted disk, and is imported with " << name
        << " from now on: keep it out of what the boot imports (zpool set cachefile=none " << pool << ")\n";
  }
  if (volume.key_file.empty()) return;
  out << plain_text(volume.key_file) << " still opens " << name
      << " without any approval: once a boot has shown that zkv does, remove it";
  if (volume.device.empty()) out << " (and zfs set keylocation=prompt " << name << ")";
  out << "\n";
}

/// A pool on a mapping is imported once that is open, which at a boot is later than all other pools.
void settle_pool(Adoptable& volume, const unlock::Unlocker& unlocker, const unlock::SystemVolumes& system) {
  if (unlocker.kind() != repository::VolumeKind::kZfs) return;
  const auto under = unlock::mappings_under_pool(std::string(unlock::pool_of(volume.name)));
  const bool comes_later = std::any_of(under.begin(), under.end(), [&](const std::string& mapping) {
    return !system.hold("luks", {mapping, {}});
  });
  if (comes_later) volume.settings.options = "import";
}

Result<> adopt_volumes(Session& session, const AdoptOptions& options) {
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_repository_key(session, options.key));
  ZKV_TRY(const auto opened, open_with_warning(session, key));
  const auto unlockers = unlock::all_unlockers({});
  ZKV_TRY(auto found, host::find_adoptable(unlockers, opened.keys));
  ZKV_TRY(const auto system, unlock::SystemVolumes::look({session.repository}));
  for (auto& volume : found.volumes) settle_pool(volume, *unlockers[volume.kind], system);
  for (const auto& error : found.unseen) report(error);
  Output out;
  if (options.json) {
    print_adoptable_json(found.volumes, unlockers, out);
    return out.write();
  }
  if (found.volumes.empty()) {
    out << "Nothing on this machine is encrypted that the repository does not hold\n";
    return out.write();
  }
  Output table;
  print_adoptable(found.volumes, unlockers, table);
  ZKV_CHECK(table.write());
  if (options.list) return {};
  std::size_t adopted = 0;
  Result<> ended;
  for (const auto& volume : found.volumes) {
    const auto is_adopted = Adoption(session, key, *unlockers[volume.kind], volume).run();
    if (!is_adopted) {
      ended = tl::unexpected(is_adopted.error());
      break;
    }
    const auto& kind = unlockers[volume.kind]->name();
    if (*is_adopted) print_what_is_left(volume, system.hold(kind, {volume.name, volume.settings}), out);
    adopted += *is_adopted ? std::size_t{1} : 0;
  }
  out << fmt::format("{} of {} are in {} now\n", adopted, found.volumes.size(), session.repository.string());
  ZKV_CHECK(out.write());
  if (ended && adopted < found.volumes.size() && !has_terminal()) {
    return Error::invalid("there is no terminal to ask for the other keys on")
        .remedy("say it again at one, or put each in: zkv volume add --volume-key-file FILE NAME");
  }
  return ended;
}

}  // namespace

void add_volume_adopt(CLI::App& volume, Session& session) {
  auto* command = volume.add_subcommand("adopt", "find what is encrypted here, and take in its keys");
  const auto options = std::make_shared<AdoptOptions>();
  add_key_options(*command, options->key);
  command->add_flag("--list", options->list, "only show what there is");
  command->add_flag("--json", options->json, "only show what there is, as JSON");
  command->callback([&session, options] { session.exit_code = finish(adopt_volumes(session, *options)); });
}

}  // namespace zkv::cli
