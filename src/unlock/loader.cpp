// A clean environment, the key on stdin, and complaints made harmless.
#include "unlock/loader.h"

#include <algorithm>
#include <array>

#include "base/plain_text.h"
#include "unlock/guarded_path.h"

namespace zkv::unlock {

namespace {

constexpr std::size_t kLongestComplaint = 400;
constexpr std::array kCodes{LoaderCode::kDone,       LoaderCode::kWrongKey, LoaderCode::kUnusableKey,
                            LoaderCode::kOpen,       LoaderCode::kNotOpen,  LoaderCode::kMissing,
                            LoaderCode::kNotAVolume, LoaderCode::kCannotTry};

const char* word_of(LoaderVerb verb) {
  switch (verb) {
    case LoaderVerb::kOpen:
      return "open";
    case LoaderVerb::kClose:
      return "close";
    case LoaderVerb::kTest:
      return "test";
    default:
      return "status";
  }
}

std::chrono::milliseconds limit_of(LoaderVerb verb, const CommandOptions& options) {
  if (verb == LoaderVerb::kStatus) return options.status_limit;
  return verb == LoaderVerb::kClose ? options.close_limit : options.limit;
}

LoaderCode loader_code(int exit_code) {
  const auto* found = std::find(kCodes.begin(), kCodes.end(), static_cast<LoaderCode>(exit_code));
  return found == kCodes.end() ? LoaderCode::kFailed : *found;
}

/// Its lines in one, as far as a person reads.
std::string told_complaint(std::string errors, std::span<const std::uint8_t> key) {
  static constexpr std::size_t kLeastTelling = 4;  // what is shorter stands in any text by chance
  const std::string_view secret(reinterpret_cast<const char*>(key.data()), key.size());
  if (secret.size() >= kLeastTelling && errors.find(secret) != std::string::npos) {
    return "what it said held the key, and is not shown";
  }
  while (errors.ends_with('\n')) errors.pop_back();
  const bool is_long = errors.size() > kLongestComplaint;
  if (is_long) errors.resize(kLongestComplaint);
  std::string line;
  for (const char byte : errors) line += byte == '\n' ? std::string("; ") : std::string(1, byte);
  return plain_text(line) + (is_long ? "…" : "");
}

Command command_of(const VolumeRef& volume, LoaderVerb verb, std::span<const std::uint8_t> key,
                   const CommandOptions& options) {
  const auto& settings = volume.settings;
  Command command{settings.program, {word_of(verb)}, key, limit_of(verb, options)};
  command.environment = {"ZKV_VOLUME=" + volume.name, "ZKV_DEVICE=" + settings.device,
                         "ZKV_MOUNT_POINT=" + settings.mountpoint, "ZKV_OPTIONS=" + settings.options};
  command.leaves_daemons = true;
  return command;
}

std::string unit_of(const VolumeRef& volume) { return "zkv-loader-" + volume.name; }

Result<Finished> run_loader(const VolumeRef& volume, LoaderVerb verb, Command command,
                            const CommandOptions& options, const std::stop_token& stop) {
  if (verb != LoaderVerb::kOpen || !can_use_manager(options.manager)) return run(command);
  TransientService service{unit_of(volume), "Encrypted volume " + volume.name, std::move(command)};
  service.before = {"zfs-keyvault.target"};
  if (volume.settings.device.starts_with('/')) service.needs_paths = {volume.settings.device};
  service.time_to_finish = options.time_to_finish;
  return run_as_service(service, options.manager, stop);
}

}  // namespace

Result<LoaderAnswer> call_loader(const VolumeRef& volume, LoaderVerb verb, std::span<const std::uint8_t> key,
                                 const CommandOptions& options, const std::stop_token& stop) {
  ZKV_CHECK(check_guarded_program(volume.settings.program));
  ZKV_TRY(auto finished, run_loader(volume, verb, command_of(volume, verb, key, options), options, stop));
  LoaderAnswer answer{loader_code(finished.exit_code), told_complaint(std::move(finished.errors), key)};
  if (answer.code == LoaderCode::kFailed && answer.complaint.empty()) {
    answer.complaint = volume.settings.program + " ended with code " + std::to_string(finished.exit_code);
  }
  return answer;
}

Result<> end_opening(const VolumeRef& volume, const CommandOptions& options) {
  return can_use_manager(options.manager) ? stop_unfinished(unit_of(volume), options.manager) : Result<>();
}

}  // namespace zkv::unlock
