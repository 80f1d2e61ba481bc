// What loaders answer, in the words of volumes. All volumes at once: a loader mostly waits.
#include "unlock/command.h"

#include <algorithm>
#include <functional>

#include "unlock/guarded_path.h"
#include "unlock/loader.h"
#include "unlock/mount_place.h"
#include "unlock/mount_table.h"
#include "unlock/parallel.h"
#include "unlock/system_tool.h"
#include "unlock/volume_name.h"

namespace zkv::unlock {

namespace {

using LoaderClock = std::chrono::steady_clock;

Outcome told_by_loader(const std::string& volume, Happened happened, std::string detail = {},
                       std::string remedy = {}) {
  return {volume, happened, std::move(detail), std::move(remedy), {}};
}

/// What a code means where no other outcome is named for it.
Happened happened_of(LoaderCode code) {
  switch (code) {
    case LoaderCode::kWrongKey:
      return Happened::kWrongKey;
    case LoaderCode::kUnusableKey:
      return Happened::kUnusableKey;
    case LoaderCode::kMissing:
      return Happened::kMissing;
    case LoaderCode::kNotAVolume:
      return Happened::kNotAVolume;
    default:
      return Happened::kFailed;
  }
}

/// For what went wrong and the loader did not explain.
std::string usual_detail(Happened happened, const VolumeRef& volume) {
  switch (happened) {
    case Happened::kWrongKey:
      return "the key in the repository does not open it";
    case Happened::kUnusableKey:
      return "the key in the repository has not the form that " + volume.settings.program + " takes";
    case Happened::kMissing:
      return volume.settings.device + " is not there";
    case Happened::kNotAVolume:
      return volume.settings.device + " is nothing that " + volume.settings.program + " can open";
    default:
      return volume.settings.program + " failed";
  }
}

Outcome failed_by_loader(const VolumeRef& volume, const LoaderAnswer& answer) {
  const auto happened = happened_of(answer.code);
  const bool is_key = happened == Happened::kWrongKey || happened == Happened::kUnusableKey;
  return told_by_loader(
      volume.name, happened, answer.complaint.empty() ? usual_detail(happened, volume) : answer.complaint,
      is_key ? "if its key was changed, put the new one in: zkv volume add --force " + volume.name
             : std::string());
}

class CommandUnlocker final : public Unlocker {
 public:
  explicit CommandUnlocker(CommandOptions options) : options_(std::move(options)) {}

  [[nodiscard]] repository::VolumeKind kind() const override { return repository::VolumeKind::kCommand; }
  [[nodiscard]] std::string_view name() const override { return "command"; }

  [[nodiscard]] Result<> check(const VolumeRef& volume) const override {
    ZKV_CHECK(check_plain_name(volume.name));
    const auto& [device, mountpoint, words, program] = volume.settings;
    if (program.empty()) {
      return Error::invalid("a volume of this kind needs --program")
          .remedy(std::string("one of ") + kLoaderFolder + ", or your own by its whole path");
    }
    if (!mountpoint.empty()) {
      ZKV_CHECK(check_mount_place(mountpoint));
      ZKV_CHECK(check_way_to(mountpoint));
    }
    return check_guarded_program(program);
  }

  [[nodiscard]] Result<std::vector<VolumeState>> inspect(const std::vector<VolumeRef>& volumes) override {
    std::vector<VolumeState> states(volumes.size());
    const auto mounted = mounted_places();
    for_each_index(volumes.size(), {}, [&](std::size_t i) { states[i] = state_of(volumes[i], mounted); });
    return states;
  }

  /// A loader finds nothing by itself.
  [[nodiscard]] Result<std::vector<VolumeState>> discover() override { return std::vector<VolumeState>(); }

  /// A loader mounts as it opens, so that what its mount point lies on comes first.
  [[nodiscard]] Result<std::vector<Survey>> survey(const std::vector<VolumeRef>& volumes) override {
    std::vector<Survey> surveys;
    surveys.reserve(volumes.size());
    for (const auto& volume : volumes) {
      const auto& [device, mountpoint, options, program] = volume.settings;
      Survey survey{volume.name};
      const auto above = std::filesystem::path(clean_path(mountpoint)).parent_path().string();
      for (const auto& path : {device, above, program}) {
        if (path.starts_with('/')) survey.needs.push_back(clean_path(path));
      }
      if (!mountpoint.empty()) survey.places = {clean_path(mountpoint)};
      surveys.push_back(std::move(survey));
    }
    return surveys;
  }

  [[nodiscard]] std::vector<Outcome> open(std::span<const Volume> volumes, Attempt attempt,
                                          const std::stop_token& stop) override {
    return each(volumes, stop, [&](const Volume& volume) { return open_by_loader(volume, attempt, stop); });
  }

  [[nodiscard]] std::vector<Outcome> close(const std::vector<VolumeRef>& volumes,
                                           const std::stop_token& stop) override {
    return each(volumes, stop, [&](const VolumeRef& volume) { return close_by_loader(volume); });
  }

  /// A loader mounts as it opens; here it is only said where.
  [[nodiscard]] Result<std::vector<MountOutcome>> mount_unheld(const std::vector<VolumeRef>& volumes,
                                                               const std::vector<std::string>& /*held*/,
                                                               const std::stop_token& /*stop*/) override {
    std::vector<MountOutcome> outcomes;
    const auto mounted = mounted_places();
    for (const auto& volume : volumes) {
      const auto& place = volume.settings.mountpoint;
      if (place.empty()) continue;
      const bool is_there = is_among(mounted, place);
      outcomes.push_back({volume.name, volume.name, place,
                          is_there ? MountHappened::kMounted : MountHappened::kFailed,
                          is_there ? "" : "it is open, but nothing is mounted at " + place});
    }
    return outcomes;
  }

  /// A loader unmounts as it closes.
  [[nodiscard]] Result<std::vector<MountOutcome>> unmount(const std::vector<VolumeRef>& /*volumes*/,
                                                          const std::stop_token& /*stop*/) override {
    return std::vector<MountOutcome>();
  }

 private:
  template <class Volumes, class Act>
  [[nodiscard]] static std::vector<Outcome> each(const Volumes& volumes, const std::stop_token& stop,
                                                 const Act& act) {
    std::vector<Outcome> outcomes;
    outcomes.reserve(volumes.size());
    for (const auto& volume : volumes)
      outcomes.push_back(told_by_loader(volume.name, Happened::kInterrupted));
    for_each_index(volumes.size(), stop, [&](std::size_t i) {
      const auto begun = LoaderClock::now();
      outcomes[i] = act(volumes[i]);
      outcomes[i].took = std::chrono::round<std::chrono::milliseconds>(LoaderClock::now() - begun);
    });
    return outcomes;
  }

  [[nodiscard]] std::vector<std::string> mounted_places() const {
    std::vector<std::string> places;
    const auto table = read_system_table(options_.mount_table);
    if (!table) return places;
    auto all = parse_mounted(*table);
    places.reserve(all.size());
    for (auto& mounted : all) places.push_back(std::move(mounted.mountpoint));
    return places;
  }

  [[nodiscard]] static bool is_among(const std::vector<std::string>& places, const std::string& place) {
    return std::find(places.begin(), places.end(), real_path(place)) != places.end();
  }

  [[nodiscard]] VolumeState state_of(const VolumeRef& volume, const std::vector<std::string>& mounted) const {
    VolumeState state{volume.name, Presence::kMissing, false, false, {}, volume.settings.device};
    if (volume.settings.program.empty()) return state;
    const auto answer = call_loader(volume, LoaderVerb::kStatus, {}, options_);
    const auto code = answer ? answer->code : LoaderCode::kFailed;
    state.is_open = code == LoaderCode::kDone || code == LoaderCode::kOpen;
    if (state.is_open || code == LoaderCode::kNotOpen) state.presence = Presence::kPresent;
    if (code == LoaderCode::kNotAVolume) state.presence = Presence::kNotAVolume;
    if (code == LoaderCode::kFailed) state.presence = Presence::kUnknown;
    state.is_mounted = state.is_open && is_among(mounted, volume.settings.mountpoint);
    if (state.is_mounted) state.mountpoint = volume.settings.mountpoint;
    return state;
  }

  [[nodiscard]] Outcome open_by_loader(const Volume& volume, Attempt attempt,
                                       const std::stop_token& stop) const {
    const VolumeRef ref{volume.name, volume.settings};
    if (const auto sound = check(ref); !sound) {
      return told_by_loader(volume.name, Happened::kFailed, sound.error().message(), sound.error().remedy());
    }
    if (volume.key.size() > kLongestLoaderKey) {
      return told_by_loader(volume.name, Happened::kUnusableKey,
                            "its key is longer than the " + std::to_string(kLongestLoaderKey) +
                                " bytes that a program is given");
    }
    if (attempt == Attempt::kOpen) {
      const auto now = call_loader(ref, LoaderVerb::kStatus, {}, options_);
      if (now && (now->code == LoaderCode::kDone || now->code == LoaderCode::kOpen)) {
        return told_by_loader(volume.name, Happened::kAlreadyOpen);
      }
    }
    const auto verb = attempt == Attempt::kOpen ? LoaderVerb::kOpen : LoaderVerb::kTest;
    const auto answer = call_loader(ref, verb, volume.key, options_, stop);
    if (!answer && answer.error().kind() == ErrorKind::kInterrupted) {
      return told_by_loader(volume.name, Happened::kInterrupted, volume.settings.program + " was stopped");
    }
    if (!answer) {
      return told_by_loader(volume.name, Happened::kFailed, answer.error().message(),
                            answer.error().remedy());
    }
    return attempt == Attempt::kOpen ? opened_by_loader(ref, *answer) : tried_by_loader(ref, *answer);
  }

  [[nodiscard]] static Outcome opened_by_loader(const VolumeRef& volume, const LoaderAnswer& answer) {
    if (answer.code == LoaderCode::kDone) return told_by_loader(volume.name, Happened::kOpened);
    if (answer.code == LoaderCode::kOpen) return told_by_loader(volume.name, Happened::kAlreadyOpen);
    return failed_by_loader(volume, answer);
  }

  [[nodiscard]] static Outcome tried_by_loader(const VolumeRef& volume, const LoaderAnswer& answer) {
    if (answer.code == LoaderCode::kDone) return told_by_loader(volume.name, Happened::kKeyFits);
    if (answer.code != LoaderCode::kCannotTry) return failed_by_loader(volume, answer);
    return told_by_loader(volume.name, Happened::kUntried,
                          volume.settings.program + " cannot try a key without opening");
  }

  [[nodiscard]] Outcome close_by_loader(const VolumeRef& volume) const {
    if (volume.settings.program.empty()) {
      return told_by_loader(volume.name, Happened::kMissing,
                            "zkv has not opened it, and knows no program for it");
    }
    if (const auto ended = end_opening(volume, options_); !ended) {
      return told_by_loader(volume.name, Happened::kFailed,
                            "it is still being opened: " + ended.error().message(), ended.error().remedy());
    }
    const auto answer = call_loader(volume, LoaderVerb::kClose, {}, options_);
    if (!answer) {
      return told_by_loader(volume.name, Happened::kFailed, answer.error().message(),
                            answer.error().remedy());
    }
    if (answer->code == LoaderCode::kDone) return told_by_loader(volume.name, Happened::kClosed);
    if (answer->code == LoaderCode::kNotOpen) return told_by_loader(volume.name, Happened::kAlreadyClosed);
    return failed_by_loader(volume, *answer);
  }

  CommandOptions options_;
};

}  // namespace

std::unique_ptr<Unlocker> make_command_unlocker(CommandOptions options) {
  return std::make_unique<CommandUnlocker>(std::move(options));
}

}  // namespace zkv::unlock
