// The words of volumes for secrets: to open one is to write its file.
#include "unlock/secret.h"

#include "unlock/mount_place.h"
#include "unlock/option_words.h"
#include "unlock/order.h"
#include "unlock/secret_file.h"
#include "unlock/volume_name.h"

namespace zkv::unlock {

namespace {

constexpr const char* kStillServed = "until zfs-keyvault.service ends: systemctl stop zfs-keyvault";

Outcome told_of_secret(const std::string& name, Happened happened, std::string detail = {},
                       std::string remedy = {}) {
  return {name, happened, std::move(detail), std::move(remedy), {}};
}

Outcome told_of_secret(const std::string& name, const Error& error) {
  return told_of_secret(name, Happened::kFailed, error.message(), error.remedy());
}

bool is_unit_name(std::string_view name) {
  static constexpr std::size_t kLongestUnitName = 255;
  static constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
  const auto dot = name.rfind('.');
  return dot != std::string_view::npos && dot > 0 && dot + 1 < name.size() &&
         name.size() <= kLongestUnitName && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

/// Of a secret that is handed to units. Source: systemd.unit(5), of their names.
Result<std::vector<std::string>> units_in(std::string_view options) {
  static constexpr std::string_view kWord = "unit=";
  std::vector<std::string> units;
  for (const auto word : option_words(options)) {
    if (!word.starts_with(kWord)) {
      return Error::invalid("the option '" + std::string(word) + "' is for the file of --mount-point")
          .remedy("a secret without a file has unit=NAME.service, as often as there are units");
    }
    if (!is_unit_name(word.substr(kWord.size()))) {
      return Error::invalid("'" + std::string(word.substr(kWord.size())) + "' is not the name of a unit")
          .remedy("name it as systemctl does, such as nginx.service");
    }
    units.emplace_back(word.substr(kWord.size()));
  }
  return units;
}

Result<SecretPlace> sound_place(const VolumeRef& secret) {
  ZKV_CHECK(check_plain_name(secret.name));
  const auto& [device, path, options, program] = secret.settings;
  if (!device.empty() || !program.empty()) return Error::invalid("a secret has neither device nor program");
  if (path.empty()) return units_in(options).map([](const auto&) { return SecretPlace(); });
  if (!path.starts_with('/')) {
    return Error::invalid("a secret's mount point is the whole path of its file, such as /run/secrets/token");
  }
  const auto folder = std::filesystem::path(path).parent_path().string();
  if (folder != "/run" && !lies_within(folder, "/dev/shm")) ZKV_CHECK(check_mount_place(folder));
  return secret_place(secret.settings);
}

Outcome open_secret_volume(const Unlocker::Volume& secret, Attempt attempt) {
  const auto place = sound_place({secret.name, secret.settings});
  if (!place) return told_of_secret(secret.name, place.error());
  if (place->path.empty()) return told_of_secret(secret.name, Happened::kServed);
  if (attempt == Attempt::kTrial) {
    const auto sound = check_secret_place(*place);
    return sound ? told_of_secret(secret.name, Happened::kKeyFits)
                 : told_of_secret(secret.name, sound.error());
  }
  const auto written = write_secret(*place, secret.key);
  if (!written) return told_of_secret(secret.name, written.error());
  if (*written == SecretWritten::kBefore) return told_of_secret(secret.name, Happened::kAlreadyOpen);
  return told_of_secret(secret.name, Happened::kOpened, "written to " + place->path.string());
}

Outcome close_secret(const VolumeRef& secret) {
  const auto place = sound_place(secret);
  if (!place) return told_of_secret(secret.name, place.error());
  if (place->path.empty()) return told_of_secret(secret.name, Happened::kServed, kStillServed);
  const auto removed = remove_secret(*place);
  if (!removed) return told_of_secret(secret.name, removed.error());
  return told_of_secret(secret.name, *removed ? Happened::kClosed : Happened::kAlreadyClosed);
}

/// zfs-keyvault.service leaves the one file once all is open, and has the other as long as it serves.
bool is_service_serving() {
  std::error_code failed;
  return std::filesystem::exists("/run/zfs-keyvault/mounted", failed) &&
         std::filesystem::exists(kCredentialsSocket, failed);
}

class SecretUnlocker final : public Unlocker {
 public:
  [[nodiscard]] repository::VolumeKind kind() const override { return repository::VolumeKind::kSecret; }
  [[nodiscard]] std::string_view name() const override { return "secret"; }

  [[nodiscard]] Result<> check(const VolumeRef& secret) const override {
    return sound_place(secret).map([](const SecretPlace&) {});
  }

  [[nodiscard]] Result<std::vector<VolumeState>> inspect(const std::vector<VolumeRef>& secrets) override {
    std::vector<VolumeState> states;
    states.reserve(secrets.size());
    for (const auto& secret : secrets) {
      VolumeState state{secret.name, Presence::kMissing, false, false, secret.settings.mountpoint, {}, false};
      const auto place = sound_place(secret);
      state.is_served = place && place->path.empty();
      state.is_open = state.is_served ? is_service_serving() : place && is_secret_there(*place);
      if (!state.mountpoint.empty()) state.presence = place ? Presence::kPresent : Presence::kUnknown;
      states.push_back(std::move(state));
    }
    return states;
  }

  /// A machine cannot tell which of its files are secrets.
  [[nodiscard]] Result<std::vector<VolumeState>> discover() override { return std::vector<VolumeState>(); }

  [[nodiscard]] std::vector<Outcome> open(std::span<const Volume> secrets, Attempt attempt,
                                          const std::stop_token& stop) override {
    std::vector<Outcome> outcomes;
    outcomes.reserve(secrets.size());
    for (const auto& secret : secrets) {
      outcomes.push_back(stop.stop_requested() ? told_of_secret(secret.name, Happened::kInterrupted)
                                               : open_secret_volume(secret, attempt));
    }
    return outcomes;
  }

  [[nodiscard]] std::vector<Outcome> close(const std::vector<VolumeRef>& secrets,
                                           const std::stop_token& stop) override {
    std::vector<Outcome> outcomes;
    outcomes.reserve(secrets.size());
    for (const auto& secret : secrets) {
      outcomes.push_back(stop.stop_requested() ? told_of_secret(secret.name, Happened::kInterrupted)
                                               : close_secret(secret));
    }
    return outcomes;
  }

  [[nodiscard]] Result<std::vector<Survey>> survey(const std::vector<VolumeRef>& secrets) override {
    std::vector<Survey> surveys;
    surveys.reserve(secrets.size());
    for (const auto& secret : secrets) surveys.push_back({secret.name});
    return surveys;
  }

  [[nodiscard]] Result<std::vector<MountOutcome>> mount_unheld(const std::vector<VolumeRef>& /*secrets*/,
                                                               const std::vector<std::string>& /*held*/,
                                                               const std::stop_token& /*stop*/) override {
    return std::vector<MountOutcome>();
  }
  [[nodiscard]] Result<std::vector<MountOutcome>> unmount(const std::vector<VolumeRef>& /*secrets*/,
                                                          const std::stop_token& /*stop*/) override {
    return std::vector<MountOutcome>();
  }
};

}  // namespace

std::unique_ptr<Unlocker> make_secret_unlocker() { return std::make_unique<SecretUnlocker>(); }

std::optional<std::vector<std::string>> served_units(const VolumeRef& secret) {
  if (!secret.settings.mountpoint.empty()) return std::nullopt;
  auto units = units_in(secret.settings.options);
  if (!units) return std::nullopt;
  return std::move(*units);
}

}  // namespace zkv::unlock
