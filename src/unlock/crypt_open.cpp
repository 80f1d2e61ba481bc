// Which device and mapping a volume means, and in which words the outcome is told.
#include "unlock/crypt_open.h"

#include <chrono>
#include <optional>

#include "unlock/backing.h"
#include "unlock/block_devices.h"
#include "unlock/crypt_content.h"
#include "unlock/crypt_library.h"
#include "unlock/crypt_options.h"
#include "unlock/device_wait.h"
#include "unlock/fstab_rights.h"
#include "unlock/layers.h"
#include "unlock/mappings.h"
#include "unlock/workers.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

using Volume = Unlocker::Volume;

/// What is the same for all volumes of one call.
struct CryptRound {
  Attempt attempt;
  const CryptOptions& options;
  const std::stop_token& stop;
};

/// A volume that is to be opened, with all that was found out about it.
struct Candidate {
  std::size_t place = 0;  ///< among the volumes
  CryptLibrary::Device device;
  std::span<const std::uint8_t> key;
  std::uint64_t memory = 0;
  bool is_open = false;  ///< by its mapping, whoever made that
};

const CryptKind& kind_of(const Volume& volume) { return *crypt_kind_of(volume.kind); }

Outcome told(const Volume& volume, Happened happened, std::string detail = {}, std::string remedy = {}) {
  return {volume.name, happened, std::move(detail), std::move(remedy), {}};
}

Outcome told(const Volume& volume, Happened happened, const Error& error) {
  return told(volume, happened, error.message(), error.remedy());
}

std::string command_to_change(const std::string& name) { return "zkv volume add --force " + name; }

Happened happened_of_crypt(const Result<std::uint64_t>& result, Attempt attempt) {
  if (result) return attempt == Attempt::kTrial ? Happened::kKeyFits : Happened::kOpened;
  switch (result.error().kind()) {
    case ErrorKind::kWrongKey:
      return Happened::kWrongKey;
    case ErrorKind::kInterrupted:
      return Happened::kInterrupted;
    default:
      return Happened::kFailed;
  }
}

Outcome outcome_of_work(const Volume& volume, const Worked& worked, const CryptRound& round) {
  const Happened happened = happened_of_crypt(worked.result, round.attempt);
  Outcome outcome = told(volume, happened);
  outcome.took = worked.took;
  if (is_success(happened)) return outcome;
  outcome.detail = worked.result.error().message();
  outcome.remedy = worked.result.error().remedy();
  if (happened == Happened::kWrongKey) {
    const auto& words = kind_of(volume).wrong_key;
    if (!words.empty()) outcome.detail = words;
    outcome.remedy = "if its key was changed, put the new one in: " + command_to_change(volume.name);
  }
  return outcome;
}

/// Whether what is mapped already lets the volume be opened, and the outcome where there is nothing to do.
std::optional<Outcome> settled_by_mappings(const Volume& volume, const fs::path& device,
                                           const CryptKind& kind, const Mappings& mappings) {
  if (const Mapping* mapping = mappings.find(volume.name)) {
    const bool is_of_kind = mapping->uuid.starts_with(kind.mapping_prefix);
    if (is_of_kind && mappings.lies_on(*mapping, device)) return told(volume, Happened::kAlreadyOpen);
    return told(volume, Happened::kFailed,
                "the mapping " + volume.name + " belongs to another device" +
                    (mapping->devices.empty() ? std::string() : " (" + mapping->devices.front() + ")"),
                "close that (cryptsetup close " + volume.name + "), or add the volume under another name");
  }
  if (const Mapping* other = mappings.of_cryptsetup_on(device)) {
    return told(volume, Happened::kFailed, "its device is open already, as /dev/mapper/" + other->name,
                "close that (cryptsetup close " + other->name + "), or add the volume as " + other->name);
  }
  return std::nullopt;
}

/// What mounts by itself as soon as the volume is open must not make those root who can write it.
Result<> check_mounts_of_others(const Volume& volume, const fs::path& device, const CryptOptions& options) {
  if (!is_of_others(volume.settings.device, device.filename(), options)) return {};
  return check_fstab_for_others({volume.name, volume.settings}, options);
}

/// Fills `candidate`, or gives the outcome where there is nothing to try.
std::optional<Outcome> look_at(const Volume& volume, const CryptRound& round, const Mappings& mappings,
                               Candidate& candidate) {
  const CryptKind& kind = kind_of(volume);
  if (auto sound = check_mapping_name(volume.name); !sound)
    return told(volume, Happened::kFailed, sound.error());
  auto wishes = parse_crypt_options(kind, volume.settings.options);
  if (!wishes) return told(volume, Happened::kFailed, wishes.error());
  const auto key = key_part(volume.key, *wishes);
  if (!key) return told(volume, Happened::kUnusableKey, key.error());
  const auto device = find_device(volume.settings.device, round.options.devices);
  if (!device) return told(volume, Happened::kMissing, device.error());
  if (round.attempt == Attempt::kOpen) {
    auto settled = settled_by_mappings(volume, *device, kind, mappings);
    candidate.is_open = settled && settled->happened == Happened::kAlreadyOpen;
    if (settled && !candidate.is_open) return settled;
    if (!candidate.is_open) {
      if (auto sound = check_mounts_of_others(volume, *device, round.options); !sound)
        return told(volume, Happened::kFailed, sound.error());
    }
  }
  candidate.device = {*device, kind.format, std::move(*wishes)};
  candidate.key = *key;
  return std::nullopt;
}

/// Of a volume that is open: somebody else may have opened what no key of ours would have been given to.
Outcome outcome_of_open(const Volume& volume, const Result<std::uint64_t>& header) {
  if (header || header.error().kind() != ErrorKind::kDenied) return told(volume, Happened::kAlreadyOpen);
  return told(volume, Happened::kFailed,
              "somebody else has opened it, and " + header.error().message() +
                  "; what is read there may be another's, and what is written can be read by anybody",
              "zkv unmount " + volume.name + "; " + header.error().remedy());
}

Outcome outcome_of_header(const Volume& volume, const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kNotFound:
      return told(volume, Happened::kNotAVolume, error);
    case ErrorKind::kInterrupted:
      return told(volume, Happened::kInterrupted, error);
    default:
      return told(volume, Happened::kFailed, error);
  }
}

/// Asks each device at once what its dearest key slot needs; one that does not answer stops no other.
std::vector<Worked> read_headers(const CryptLibrary& library, const std::vector<Candidate>& candidates,
                                 const CryptRound& round) {
  static constexpr std::size_t kMostAtOnce = 64;
  std::vector<Work> works;
  works.reserve(candidates.size());
  for (const auto& candidate : candidates) {
    works.push_back({0, [&library, &candidate] { return library.read_header(candidate.device); }});
  }
  return work_in_children(works, {kMostAtOnce, 0, round.options.header_limit}, round.stop);
}

/// A plain device opens with any key, so that what is on it is looked at before the mapping has its name: the
/// system acts on what it finds there.
Result<> open_device(const CryptLibrary& library, const std::string& name, const Candidate& candidate,
                     const CryptRound& round) {
  const auto& [place, device, key, memory, is_open] = candidate;
  const bool is_trial = round.attempt == Attempt::kTrial;
  if (device.format == CryptFormat::kPlain) {
    const bool is_looked_at = !device.wishes.takes_any_content;
    if (is_looked_at) ZKV_CHECK(check_content(library, device, key, round.options));
    if (is_trial && is_looked_at) return {};
    if (is_trial) return Error::unsupported("with check=none nothing tells whether its key is right");
  }
  return library.activate(device, is_trial ? std::string() : name, key);
}

Work work_for(const CryptLibrary& library, const std::string& name, const Candidate& candidate,
              const CryptRound& round) {
  return {candidate.memory, [&library, name, &candidate, &round] {
            return open_device(library, name, candidate, round).map([] { return std::uint64_t{0}; });
          }};
}

/// Opens those whose device is there now.
std::vector<Outcome> open_present(std::span<const Volume> volumes, const CryptRound& round) {
  std::vector<Outcome> outcomes;
  if (volumes.empty()) return outcomes;
  const auto library = CryptLibrary::load(round.options.libraries);
  if (!library) {
    for (const auto& volume : volumes) outcomes.push_back(told(volume, Happened::kFailed, library.error()));
    return outcomes;
  }
  const auto mappings = Mappings::read(round.options.blocks);
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    Candidate candidate{i, {}, {}, 0, false};
    auto settled = look_at(volumes[i], round, mappings, candidate);
    outcomes.push_back(settled ? std::move(*settled) : told(volumes[i], Happened::kInterrupted));
    if (!settled) candidates.push_back(std::move(candidate));
  }
  const auto headers = read_headers(*library, candidates, round);
  std::vector<Work> works;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::size_t place = candidates[i].place;
    if (candidates[i].is_open) {
      outcomes[place] = outcome_of_open(volumes[place], headers[i].result);
      continue;
    }
    if (!headers[i].result) {
      outcomes[place] = outcome_of_header(volumes[place], headers[i].result.error());
      continue;
    }
    candidates[i].memory = *headers[i].result;
    works.push_back(work_for(*library, volumes[place].name, candidates[i], round));
    places.push_back(place);
  }
  const auto worked = work_in_children(works, bounds_of_machine(round.options.limit), round.stop);
  for (std::size_t i = 0; i < works.size(); ++i) {
    outcomes[places[i]] = outcome_of_work(volumes[places[i]], worked[i], round);
  }
  return outcomes;
}

/// Others may lie on a logical volume. Who mounts tries once more, and says why where one does not come.
void bring_up_groups(std::span<const Volume> volumes, const std::vector<Outcome>& outcomes,
                     const CryptOptions& options, const std::stop_token& stop) {
  std::vector<std::string> opened;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    if (outcomes[i].happened != Happened::kOpened) continue;
    const auto wishes = parse_crypt_options(kind_of(volumes[i]), volumes[i].settings.options);
    if (wishes && !wishes->takes_any_content) opened.push_back(options.devices / "mapper" / volumes[i].name);
  }
  static_cast<void>(activate_groups(opened, options, stop));
}

/// Places of those whose device is not there.
std::vector<std::size_t> missing_among(const std::vector<Outcome>& outcomes) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].happened == Happened::kMissing) places.push_back(i);
  }
  return places;
}

/// Nobody is told where nothing can come.
void tell_of_wait(std::span<const Volume> volumes, const std::vector<std::size_t>& missing,
                  const CryptOptions& options) {
  std::vector<VolumeRef> awaited;
  for (const auto place : missing) {
    if (can_come(volumes[place].settings.device, options.devices)) {
      awaited.push_back({volumes[place].name, volumes[place].settings});
    }
  }
  if (!awaited.empty() && options.on_wait) options.on_wait(awaited, options.device_wait);
}

/// Opens what comes until `until`, all at once that came at once.
void open_late(std::span<const Volume> volumes, const CryptRound& round, std::vector<Outcome>& outcomes,
               std::chrono::steady_clock::time_point until) {
  auto missing = missing_among(outcomes);
  if (!missing.empty()) tell_of_wait(volumes, missing, round.options);
  for (; !missing.empty(); missing = missing_among(outcomes)) {
    std::vector<std::string> names;
    names.reserve(missing.size());
    for (const auto place : missing) names.push_back(volumes[place].settings.device);
    const auto came = await_devices(names, round.options.devices, until, round.stop);
    if (came.empty()) return;
    std::vector<Volume> arrived;
    arrived.reserve(came.size());
    for (const std::size_t one : came) arrived.push_back(volumes[missing[one]]);
    if (round.options.on_arrival) round.options.on_arrival();
    auto opened = open_present(arrived, round);
    bring_up_groups(arrived, opened, round.options, round.stop);
    for (std::size_t i = 0; i < came.size(); ++i) outcomes[missing[came[i]]] = std::move(opened[i]);
  }
}

}  // namespace

Result<> check_header(const Volume& volume, const CryptOptions& options, const std::stop_token& stop) {
  ZKV_TRY(auto wishes, parse_crypt_options(kind_of(volume), volume.settings.options));
  ZKV_TRY(const auto device, find_device(volume.settings.device, options.devices));
  ZKV_CHECK(check_mounts_of_others(volume, device, options));
  ZKV_TRY(const auto library, CryptLibrary::load(options.libraries));
  const std::vector<Candidate> one{{0, {device, kind_of(volume).format, std::move(wishes)}, {}, 0}};
  const auto read = read_headers(library, one, {Attempt::kOpen, options, stop});
  return read.front().result.map([](std::uint64_t) {});
}

std::vector<Outcome> open_crypt(std::span<const Volume> volumes, Attempt attempt, const CryptOptions& options,
                                const std::stop_token& stop) {
  const CryptRound round{attempt, options, stop};
  const auto until = std::chrono::steady_clock::now() + options.device_wait;
  auto outcomes = open_present(volumes, round);
  if (attempt == Attempt::kOpen) bring_up_groups(volumes, outcomes, options, stop);
  if (attempt == Attempt::kOpen && !stop.stop_requested()) open_late(volumes, round, outcomes, until);
  return outcomes;
}

}  // namespace zkv::unlock
