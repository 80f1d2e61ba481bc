// What systemd does for us: it starts units, and programs, each in a unit of its own: outside of our sandbox,
// and with a life of their own, which the filesystem daemons that they leave behind need.
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "unlock/child_process.h"

namespace zkv::unlock {

/// The socket of the service manager of a machine that systemd has booted; only root may speak to it.
inline constexpr const char* kServiceManager = "/run/systemd/private";

struct TransientService {
  std::string unit;  ///< its name without ".service"
  std::string description;
  Command command;
  std::vector<std::string> before = {};       ///< units that begin after it, and end before it
  std::vector<std::string> needs_paths = {};  ///< it is stopped before what is mounted there is unmounted
  std::chrono::milliseconds time_to_finish{10'000};  ///< after a stop request
};

/// Whether there is such a manager, and this user may speak to it.
bool can_use_manager(const std::filesystem::path& manager);

/// Runs the command as a unit until it ends; what it started and left behind lives on in that unit. Output is
/// not taken, and of errors what Complaints take. A unit of the same name is stopped first. What has not
/// ended some time after a stop request is stopped, too. Errors: kInvalid (too much input), kUnsupported (no
/// libsystemd), kUnavailable (the time limit passed), kInterrupted, kIo.
Result<Finished> run_as_service(const TransientService& service, const std::filesystem::path& manager,
                                const std::stop_token& stop = {});

/// Stops the unit of that name (without ".service") if its command has not come to its end, and waits until
/// it is gone; one that ran to its end stays with what it left behind. Errors: kUnsupported (no libsystemd),
/// kUnavailable (it does not go), kIo.
Result<> stop_unfinished(const std::string& unit, const std::filesystem::path& manager);

/// Has the unit of that whole name started, and does not wait for it, as `systemctl --no-block start`.
/// Errors: kUnsupported (no libsystemd), kIo.
Result<> start_unit(const std::string& unit, const std::filesystem::path& manager);

/// Begins the unit of that whole name anew where it is in one of `states`, as "failed", and does not wait for
/// it. Errors: as start_unit().
Result<> restart_if(const std::string& unit, const std::vector<std::string>& states,
                    const std::filesystem::path& manager);

}  // namespace zkv::unlock
