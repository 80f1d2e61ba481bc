// Which device and mapping a volume means, and in which words the outcome is told.
#include "unlock/luks_open.h"

#include <optional>

#include "unlock/block_devices.h"
#include "unlock/crypt_library.h"
#include "unlock/luks_options.h"
#include "unlock/mappings.h"
#include "unlock/workers.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

using Volume = Unlocker::Volume;

/// A volume that is to be opened, with all that was found out about it.
struct Candidate {
  CryptLibrary::Device device;
  LuksWishes wishes;
  std::uint64_t memory = 0;
};

Outcome told(const Volume& volume, Happened happened, std::string detail = {}, std::string remedy = {}) {
  return {volume.name, happened, std::move(detail), std::move(remedy), {}, volume.settings.device};
}

Outcome told(const Volume& volume, Happened happened, const Error& error) {
  return told(volume, happened, error.message(), error.remedy());
}

std::string command_to_change(const std::string& name) { return "zkv volume add --force " + name; }

Happened happened_of_luks(const Result<>& result, Attempt attempt) {
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
                               const CryptLibrary& library, const Mappings& mappings, Candidate& candidate) {
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
  const auto header = library.read_header(candidate.device);
  if (!header) {
    const bool is_no_luks = header.error().kind() == ErrorKind::kNotFound;
    return told(volume, is_no_luks ? Happened::kNotAVolume : Happened::kFailed, header.error());
  }
  candidate.memory = header->derivation_memory;
  return std::nullopt;
}

Work work_for(const CryptLibrary& library, const Volume& volume, Attempt attempt,
              const Candidate& candidate) {
  const CryptLibrary::Activation activation{attempt == Attempt::kTrial ? std::string() : volume.name,
                                            volume.key, candidate.wishes.key_slot,
                                            candidate.wishes.activation};
  return {candidate.memory,
          [&library, device = candidate.device, activation] { return library.activate(device, activation); }};
}

}  // namespace

std::vector<Outcome> open_luks(std::span<const Volume> volumes, Attempt attempt, const LuksOptions& options,
                               const std::stop_token& stop) {
  std::vector<Outcome> outcomes;
  if (volumes.empty()) return outcomes;
  const auto library = CryptLibrary::load(options.libraries);
  if (!library) {
    for (const auto& volume : volumes) outcomes.push_back(told(volume, Happened::kFailed, library.error()));
    return outcomes;
  }
  const auto mappings = Mappings::read(options.blocks);
  std::vector<Work> works;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    Candidate candidate;
    auto settled = look_at(volumes[i], attempt, options, *library, mappings, candidate);
    outcomes.push_back(settled ? std::move(*settled) : told(volumes[i], Happened::kInterrupted));
    if (settled) continue;
    works.push_back(work_for(*library, volumes[i], attempt, candidate));
    places.push_back(i);
  }
  const auto worked = work_in_children(works, bounds_of_machine(options.limit), stop);
  for (std::size_t i = 0; i < works.size(); ++i) {
    outcomes[places[i]] = outcome_of_work(volumes[places[i]], worked[i], attempt);
  }
  return outcomes;
}

}  // namespace zkv::unlock
