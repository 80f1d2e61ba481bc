// Which device and mapping a volume means, and in which words the outcome is told.
#include "unlock/luks_open.h"

#include <chrono>
#include <optional>

#include "unlock/block_devices.h"
#include "unlock/crypt_library.h"
#include "unlock/device_wait.h"
#include "unlock/luks_options.h"
#include "unlock/mappings.h"
#include "unlock/workers.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

using Volume = Unlocker::Volume;

/// A volume that is to be opened, with all that was found out about it.
struct Candidate {
  std::size_t place = 0;  ///< among the volumes
  CryptLibrary::Device device;
  LuksWishes wishes;
  std::uint64_t memory = 0;
};

Outcome told(const Volume& volume, Happened happened, std::string detail = {}, std::string remedy = {}) {
  return {volume.name, happened, std::move(detail), std::move(remedy), {}};
}

Outcome told(const Volume& volume, Happened happened, const Error& error) {
  return told(volume, happened, error.message(), error.remedy());
}

std::string command_to_change(const std::string& name) { return "zkv volume add --force " + name; }

Happened happened_of_luks(const Result<std::uint64_t>& result, Attempt attempt) {
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

Outcome outcome_of_work(const Volume& volume, const Worked& worked, Attempt attempt) {
  const Happened happened = happened_of_luks(worked.result, attempt);
  Outcome outcome = told(volume, happened);
  outcome.took = worked.took;
  if (is_success(happened)) return outcome;
  outcome.detail = worked.result.error().message();
  outcome.remedy = worked.result.error().remedy();
  if (happened == Happened::kWrongKey) {
    outcome.detail = "the key in the repository opens none of its key slots";
    outcome.remedy = "if its key was changed, put the new one in: " + command_to_change(volume.name);
  }
  return outcome;
}

/// Whether what is mapped already lets the volume be opened, and the outcome where there is nothing to do.
std::optional<Outcome> settled_by_mappings(const Volume& volume, const fs::path& device,
                                           const Mappings& mappings) {
  if (const Mapping* mapping = mappings.find(volume.name)) {
    if (mapping->is_luks() && mappings.lies_on(*mapping, device)) return told(volume, Happened::kAlreadyOpen);
    return told(volume, Happened::kFailed,
                "the mapping " + volume.name + " belongs to another device" +
                    (mapping->devices.empty() ? std::string() : " (" + mapping->devices.front() + ")"),
                "close that (cryptsetup close " + volume.name + "), or add the volume under another name");
  }
  if (const Mapping* other = mappings.luks_on(device)) {
    return told(volume, Happened::kFailed, "its device is open already, as /dev/mapper/" + other->name,
                "close that (cryptsetup close " + other->name + "), or add the volume as " + other->name);
  }
  return std::nullopt;
}

/// Fills `candidate`, or gives the outcome where there is nothing to try.
std::optional<Outcome> look_at(const Volume& volume, Attempt attempt, const LuksOptions& options,
                               const Mappings& mappings, Candidate& candidate) {
  if (auto sound = check_mapping_name(volume.name); !sound)
    return told(volume, Happened::kFailed, sound.error());
  auto wishes = parse_luks_options(volume.settings.options);
  if (!wishes) return told(volume, Happened::kFailed, wishes.error());
  const auto device = find_device(volume.settings.device, options.devices);
  if (!device) return told(volume, Happened::kMissing, device.error());
  if (attempt == Attempt::kOpen) {
    if (auto settled = settled_by_mappings(volume, *device, mappings)) return settled;
  }
  candidate.device = {*device, wishes->header};
  candidate.wishes = std::move(*wishes);
  return std::nullopt;
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
                                 const LuksOptions& options, const std::stop_token& stop) {
  static constexpr std::size_t kMostAtOnce = 64;
  std::vector<Work> works;
  works.reserve(candidates.size());
  for (const auto& candidate : candidates) {
    works.push_back({0, [&library, device = candidate.device] {
                       return library.read_header(device).map(
                           [](const auto& header) { return header.derivation_memory; });
                     }});
  }
  return work_in_children(works, {kMostAtOnce, 0, options.header_limit}, stop);
}

Work work_for(const CryptLibrary& library, const Volume& volume, Attempt attempt,
              const Candidate& candidate) {
  const CryptLibrary::Activation activation{attempt == Attempt::kTrial ? std::string() : volume.name,
                                            volume.key, candidate.wishes.key_slot,
                                            candidate.wishes.activation};
  return {candidate.memory, [&library, device = candidate.device, activation] {
            return library.activate(device, activation).map([] { return std::uint64_t{0}; });
          }};
}

/// Opens those whose device is there now.
std::vector<Outcome> open_present(std::span<const Volume> volumes, Attempt attempt,
                                  const LuksOptions& options, const std::stop_token& stop) {
  std::vector<Outcome> outcomes;
  if (volumes.empty()) return outcomes;
  const auto library = CryptLibrary::load(options.libraries);
  if (!library) {
    for (const auto& volume : volumes) outcomes.push_back(told(volume, Happened::kFailed, library.error()));
    return outcomes;
  }
  const auto mappings = Mappings::read(options.blocks);
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    Candidate candidate{i, {}, {}, 0};
    auto settled = look_at(volumes[i], attempt, options, mappings, candidate);
    outcomes.push_back(settled ? std::move(*settled) : told(volumes[i], Happened::kInterrupted));
    if (!settled) candidates.push_back(std::move(candidate));
  }
  const auto headers = read_headers(*library, candidates, options, stop);
  std::vector<Work> works;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::size_t place = candidates[i].place;
    if (!headers[i].result) {
      outcomes[place] = outcome_of_header(volumes[place], headers[i].result.error());
      continue;
    }
    candidates[i].memory = *headers[i].result;
    works.push_back(work_for(*library, volumes[place], attempt, candidates[i]));
    places.push_back(place);
  }
  const auto worked = work_in_children(works, bounds_of_machine(options.limit), stop);
  for (std::size_t i = 0; i < works.size(); ++i) {
    outcomes[places[i]] = outcome_of_work(volumes[places[i]], worked[i], attempt);
  }
  return outcomes;
}

}  // namespace

std::vector<Outcome> open_luks(std::span<const Volume> volumes, Attempt attempt, const LuksOptions& options,
                               const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + options.device_wait;
  auto outcomes = open_present(volumes, attempt, options, stop);
  while (attempt == Attempt::kOpen) {
    std::vector<std::size_t> places;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < volumes.size(); ++i) {
      if (outcomes[i].happened != Happened::kMissing) continue;
      places.push_back(i);
      names.push_back(volumes[i].settings.device);
    }
    const auto came = await_devices(names, options.devices, until, stop);
    if (came.empty()) break;
    for (const std::size_t one : came) {
      const auto place = places[one];
      outcomes[place] = open_present(volumes.subspan(place, 1), attempt, options, stop).front();
    }
  }
  return outcomes;
}

}  // namespace zkv::unlock
