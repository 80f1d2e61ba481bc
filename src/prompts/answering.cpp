// Looks at all prompts whenever anything happens where prompts begin.
#include "prompts/answering.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "unlock/block_devices.h"
#include "unlock/crypt_kind.h"
#include "unlock/crypt_options.h"
#include "unlock/either_key.h"

namespace zkv::prompts {

namespace {

using repository::VolumeKind;
using Volume = repository::VolumeKeys::Volume;

/// The number of a block device; 0 where there is none.
dev_t number_of(const std::string& name, const std::filesystem::path& devices) {
  const auto path = unlock::find_device(name, devices);
  struct stat found {};
  if (!path || ::stat(path->c_str(), &found) != 0 || !S_ISBLK(found.st_mode)) return 0;
  return found.st_rdev;
}

const Volume* find_mapping(const Prompt& prompt, const std::vector<Volume>& volumes,
                           const std::filesystem::path& devices) {
  const dev_t asked = prompt.device.empty() ? 0 : number_of(prompt.device, devices);
  const Volume* by_name = nullptr;
  for (const auto& volume : volumes) {
    if (unlock::crypt_kind_of(volume.kind) == nullptr) continue;
    if (asked != 0 && number_of(volume.settings.device, devices) == asked) return &volume;
    if (volume.name == prompt.volume) by_name = &volume;
  }
  return by_name;
}

bool is_at_or_below(const std::string& filesystem, const std::string& above) {
  return filesystem == above || filesystem.starts_with(above + "/");
}

const Volume* find_filesystem(const Prompt& prompt, const std::vector<Volume>& volumes) {
  const Volume* nearest = nullptr;
  for (const auto& volume : volumes) {
    if (volume.kind != VolumeKind::kZfs || !is_at_or_below(prompt.volume, volume.name)) continue;
    if (nearest == nullptr || volume.name.size() > nearest->name.size()) nearest = &volume;
  }
  return nearest;
}

class Answering {
 public:
  Answering(const repository::VolumeKeys& keys,
            const std::vector<std::unique_ptr<unlock::Unlocker>>& unlockers, const AnsweringOptions& options,
            const std::stop_token& stop)
      : volumes_(keys.volumes()), unlockers_(unlockers), options_(options), stop_(stop) {}

  void look_at(const Asker& asker) {
    for (const auto& prompt : asker.prompts()) {
      if (answered_.contains(prompt.id)) continue;
      const Volume* volume = find_asked(prompt, volumes_, options_.devices);
      if (volume == nullptr) {
        pass_over(prompt);
      } else if (prompt.wants == Wants::kKey) {
        give_key(asker, prompt, *volume);
      } else {
        open_and_dismiss(asker, prompt, *volume);
      }
    }
  }

 private:
  void pass_over(const Prompt& prompt) {
    answered_.insert(prompt.id);
    options_.say("the repository has no key for " + (prompt.volume.empty() ? prompt.device : prompt.volume) +
                 ", which is asked for");
  }

  /// Asked for again, a key does not fit. While a volume's key is being changed another is tried then; after
  /// that the next answer is a person's.
  void give_key(const Asker& asker, const Prompt& prompt, const Volume& volume) {
    const auto given_before = given_[volume.name];
    if (given_before == 2 || (given_before == 1 && volume.next_key.empty())) {
      answered_.insert(prompt.id);
      options_.say("the repository's key does not open " + volume.name + ": type its passphrase");
      return;
    }
    if (const auto refused = why_not(prompt, volume)) {
      answered_.insert(prompt.id);
      options_.say(volume.name + ": " + refused->message() + with_remedy(*refused));
      return;
    }
    const auto given = answer_with(asker, prompt, volume, given_before == 0 ? volume.key : volume.next_key);
    if (!given && given.error().kind() == ErrorKind::kUnavailable) return;
    answered_.insert(prompt.id);
    ++given_[volume.name];
    options_.say(given ? "answered the prompt for " + volume.name
                       : volume.name + ": " + given.error().message() + with_remedy(given.error()));
  }

  /// The device is the one that is asked for, where the prompt names it.
  [[nodiscard]] std::optional<Error> why_not(const Prompt& prompt, const Volume& volume) const {
    if (!options_.may_have_key || unlock::crypt_kind_of(volume.kind) == nullptr) return std::nullopt;
    Volume asked = volume;
    if (!prompt.device.empty()) asked.settings.device = prompt.device;
    const auto may = options_.may_have_key(asked);
    return may ? std::nullopt : std::optional(may.error());
  }

  /// Where only a part of a key file is the key, that part is given.
  static Result<> answer_with(const Asker& asker, const Prompt& prompt, const Volume& volume,
                              std::span<const std::uint8_t> key) {
    const auto* kind = unlock::crypt_kind_of(volume.kind);
    if (kind == nullptr) return asker.answer(prompt, key);
    ZKV_TRY(const auto wishes, unlock::parse_crypt_options(*kind, volume.settings.options));
    ZKV_TRY(const auto part, unlock::key_part(key, wishes));
    return asker.answer(prompt, part);
  }

  void open_and_dismiss(const Asker& asker, const Prompt& prompt, const Volume& volume) {
    answered_.insert(prompt.id);
    if (given_[volume.name]++ == 0 && open(volume)) opened_.insert(volume.name);
    if (!opened_.contains(volume.name)) return;
    if (const auto dismissed = asker.answer(prompt, {}); !dismissed)
      options_.say(volume.name + ": " + dismissed.error().message());
  }

  bool open(const Volume& volume) {
    for (const auto& unlocker : unlockers_) {
      if (unlocker->kind() != volume.kind) continue;
      const auto outcomes =
          unlock::open_by_either_key(*unlocker, std::span(&volume, 1), unlock::Attempt::kOpen, stop_);
      const auto& outcome = outcomes.front();
      if (unlock::is_success(outcome.happened)) {
        options_.say("loaded the key of " + volume.name);
        return true;
      }
      options_.say(volume.name + ": " + std::string(unlock::to_text(outcome.happened)) +
                   (outcome.detail.empty() ? "" : ": " + outcome.detail));
    }
    return false;
  }

  static std::string with_remedy(const Error& error) {
    return error.remedy().empty() ? "" : "; " + error.remedy();
  }

  std::vector<Volume> volumes_;
  const std::vector<std::unique_ptr<unlock::Unlocker>>& unlockers_;
  const AnsweringOptions& options_;
  const std::stop_token& stop_;
  std::set<std::string> answered_;    ///< prompts
  std::map<std::string, int> given_;  ///< how often a volume's key was tried
  std::set<std::string> opened_;      ///< volumes
};

}  // namespace

const Volume* find_asked(const Prompt& prompt, const std::vector<Volume>& volumes,
                         const std::filesystem::path& devices) {
  return prompt.wants == Wants::kKey ? find_mapping(prompt, volumes, devices)
                                     : find_filesystem(prompt, volumes);
}

Result<> answer_prompts(const repository::VolumeKeys& keys, const std::vector<std::unique_ptr<Asker>>& askers,
                        const std::vector<std::unique_ptr<unlock::Unlocker>>& unlockers,
                        const AnsweringOptions& options, const std::stop_token& stop) {
  std::vector<WatchedFolder> folders;
  folders.reserve(askers.size());
  for (const auto& asker : askers) folders.push_back(asker->folder());
  ZKV_TRY(auto watch, FolderWatch::on(folders));
  Answering answering(keys, unlockers, options, stop);
  while (!stop.stop_requested()) {
    for (const auto& asker : askers) answering.look_at(*asker);
    ZKV_CHECK(watch.wait(stop));
  }
  return {};
}

}  // namespace zkv::prompts
