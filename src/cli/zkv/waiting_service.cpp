// systemctl, and the road that a key takes from the initramfs.
#include "waiting_service.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "commands.h"
#include "unlock/system_tool.h"

namespace zkv::cli {

namespace {

constexpr std::chrono::seconds kManagerLimit{30};
constexpr const char* kService = "zfs-keyvault.service";
constexpr const char* kTarget = "zfs-keyvault.target";
constexpr const char* kOpenedByHand = "/run/zkv-opened-by-hand";

Result<std::string> systemctl(std::vector<std::string> words) {
  return unlock::run_tool("systemctl", std::move(words), 0, kManagerLimit);
}

/// Empty where there is no systemd.
std::string property_of(const char* unit, const std::string& property) {
  auto value = systemctl({"show", "--property=" + property, "--value", unit}).value_or("");
  if (value.ends_with('\n')) value.pop_back();
  return value;
}

/// As systemd calls it.
std::string state_of(const char* unit) { return property_of(unit, "ActiveState"); }

/// Whether this is what the service runs, as a unit of the administrator's own may run `zkv mount`. Source:
/// systemd.exec(5), $INVOCATION_ID.
bool is_service_itself() {
  const char* id = std::getenv("INVOCATION_ID");
  return id != nullptr && *id != '\0' && property_of(kService, "InvocationID") == id;
}

/// One that somebody stopped, as after a person's no; not one that the kernel's command line keeps off, nor
/// one that has nobody to ask.
bool is_stopped() {
  return property_of(kService, "UnitFileState") == "enabled" &&
         property_of(kService, "ConditionResult") == "yes" &&
         property_of(kService, "Result") != "exec-condition";
}

/// One in that state that is enabled and was skipped: this host is enrolled with no gateway.
bool has_nobody_to_ask(const std::string& state) {
  return state == "inactive" && property_of(kService, "Result") == "exec-condition" &&
         property_of(kService, "UnitFileState") == "enabled";
}

/// Still, in that state of the service.
bool does_wait(const std::string& state) {
  const bool waits = state == "activating" || state == "failed" || (state == "inactive" && is_stopped());
  return waits && !is_service_itself();
}

/// Of a service in that state. A start that runs is one that asks.
bool is_queued(const std::string& state) {
  if (state != "inactive" && state != "failed") return false;
  std::istringstream jobs(systemctl({"list-jobs", "--plain", "--no-legend", kService}).value_or(""));
  std::string number;
  std::string unit;
  std::string type;
  std::string progress;
  while (jobs >> number >> unit >> type >> progress) {
    if (unit == kService && (type == "start" || type == "restart") && progress == "waiting") return true;
  }
  return false;
}

bool does_ask() { return state_of(kService) == "activating" && !is_service_itself(); }

/// Whether an approval, or a unit that requires the target, finds it standing.
bool does_stand(const char* unit) {
  const auto state = state_of(unit);
  return state == "active" || state == "activating" || state == "reloading";
}

struct Failing {
  std::string what;
  std::string remedy;
};

/// Has systemd do it, and tells of that, or of what is the case as it could not.
void order(std::vector<std::string> words, const std::string& told, const Failing& failing) {
  words.insert(words.begin(), "--no-block");
  const auto done = systemctl(std::move(words));
  if (done) {
    static_cast<void>(std::fprintf(stderr, "zkv: %s\n", told.c_str()));
  } else {
    report(Error(done.error()).context(failing.what).remedy(failing.remedy));
  }
}

/// What zfs-keyvault.target asserts where the service has not done the work, and will not.
void let_target_stand_alone() {
  if (const auto told = replace_file(kOpenedByHand, {}); !told) {
    report(Error(told.error()).context("all is open, and what waits for it does not start"));
    return;
  }
  order({"start", kTarget}, std::string("what waits for ") + kTarget + " starts",
        {"all is open, and what waits for it does not start", std::string("systemctl start ") + kTarget});
}

/// With what came of leaving the key for it.
void tell_of_queued(const Result<>& left) {
  if (!left) {
    report(Error(left.error())
               .context(std::string(kService) + ", whose start is queued, will ask all the same"));
    return;
  }
  static_cast<void>(
      std::fprintf(stderr,
                   "zkv: %s, whose start is queued, asks nobody if its turn comes within %ld minutes: the "
                   "kernel keeps the key for it until then ('zkv lock --all' takes that away)\n",
                   kService, static_cast<long>(host::kHandoverLifetime.count())));
}

}  // namespace

WaitingService::WaitingService() {
  if (::geteuid() != 0) return;
  const auto state = state_of(kService);
  was_waiting_ = does_wait(state);
  was_queued_ = is_queued(state);
  was_asking_ = was_waiting_ && state == "activating";
  had_nobody_to_ask_ = has_nobody_to_ask(state) && !does_stand(kTarget);
}

void WaitingService::keep(const repository::RepositoryKey& key) {
  does_all_ = true;
  if (was_waiting_ || was_queued_) kept_.emplace(host::HeldHandover::hold(key));
}

void WaitingService::end(bool is_all_open) {
  if (had_nobody_to_ask_ && does_all_ && is_all_open) return let_target_stand_alone();
  if (!kept_) return;
  const auto state = state_of(kService);
  const bool is_to_come = is_queued(state);
  if (!is_to_come && !does_wait(state)) return;
  auto left = *kept_ ? (*kept_)->leave() : Result<>(tl::unexpected(kept_->error()));
  if (is_to_come) return tell_of_queued(left);
  if (left) left = systemctl({"--no-block", "restart", kService}).map([](const std::string&) {});
  if (left) {
    static_cast<void>(std::fprintf(stderr, "zkv: %s begins anew, and asks nobody%s\n", kService,
                                   is_all_open ? ": what waits for the volumes starts" : ""));
    return;
  }
  static_cast<void>(host::take_handover());
  auto error = std::move(left).error().context((is_all_open ? "all is open, but " : "") +
                                               std::string(kService) + " still waits");
  report(is_all_open
             ? std::move(error).remedy(
                   "what waits for the volumes starts by: touch /run/zfs-keyvault/mounted && systemctl start "
                   "zfs-keyvault.target")
             : error);
}

void let_service_ask_again() {
  if (!does_ask()) return;
  order({"restart", kService}, std::string(kService) + " asks again",
        {std::string(kService) + " does not ask again yet", "systemctl restart zfs-keyvault"});
}

void let_service_rest() {
  if (!does_ask()) return;
  order({"stop", kService},
        std::string(kService) + " asks no more, after a no; 'systemctl restart zfs-keyvault' asks again",
        {std::string(kService) + " asks once more after a while", "systemctl stop zfs-keyvault"});
}

void tell_of_failed_service() {
  if (::geteuid() != 0 || state_of(kService) != "failed") return;
  static_cast<void>(std::fprintf(stderr,
                                 "zkv: %s still counts as failed, and what waits for it does not start: "
                                 "'systemctl restart zfs-keyvault' asks again, 'zkv unlock' asks nobody\n",
                                 kService));
}

bool does_service_run() { return state_of(kService) == "active"; }

void let_service_stop() {
  static_cast<void>(host::take_handover());
  if (::geteuid() != 0) return;
  std::error_code failed;
  std::filesystem::remove(kOpenedByHand, failed);
  if (!does_stand(kTarget) && !does_stand(kService)) return;
  order({"stop", kTarget, kService},
        std::string(kService) + " ends with what requires " + kTarget +
            "; 'systemctl start zfs-keyvault' asks again",
        {std::string("all is locked, but ") + kTarget + " still stands for open volumes",
         "systemctl stop zfs-keyvault.target zfs-keyvault.service"});
}

void warn_of_partly_locked() {
  if (!does_stand(kTarget)) return;
  report(Error::conflict(std::string("some volumes are locked and some are not, and ") + kTarget +
                         " still stands: what requires it may start without its files")
             .remedy("end what uses them and lock again; or open all: systemctl restart zfs-keyvault"));
}

}  // namespace zkv::cli
