// systemctl, and the road that a key takes from the initramfs.
#include "waiting_service.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "commands.h"
#include "host/handover.h"
#include "unlock/system_tool.h"

namespace zkv::cli {

namespace {

constexpr std::chrono::seconds kManagerLimit{30};
constexpr const char* kService = "zfs-keyvault.service";
constexpr const char* kTarget = "zfs-keyvault.target";

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

bool does_wait() {
  const auto state = state_of(kService);
  return state == "activating" || state == "failed";
}

/// Whether an approval, or a unit that requires the target, finds it standing.
bool does_stand(const char* unit) {
  const auto state = state_of(unit);
  return state == "active" || state == "activating" || state == "reloading";
}

Result<> begin_anew(const repository::RepositoryKey& key) {
  ZKV_CHECK(host::leave_handover(key));
  const auto restarted = systemctl({"--no-block", "restart", kService});
  if (restarted) return {};
  static_cast<void>(host::take_handover());
  return tl::unexpected(restarted.error());
}

}  // namespace

void let_service_end(const repository::RepositoryKey& key) {
  if (::geteuid() != 0 || !does_wait()) return;
  const auto begun = begin_anew(key);
  if (begun) {
    static_cast<void>(std::fprintf(
        stderr, "zkv: %s begins anew, and asks nobody: what waits for the volumes starts\n", kService));
    return;
  }
  report(
      Error(begun.error())
          .context(std::string("all is open, but ") + kService + " still waits")
          .remedy("what waits for the volumes starts by: touch /run/zfs-keyvault/mounted && systemctl start "
                  "zfs-keyvault.target"));
}

bool does_service_ask() {
  return ::geteuid() == 0 && state_of(kService) == "activating" && !is_service_itself();
}

void let_service_ask_again() {
  if (!does_service_ask()) return;
  const auto restarted = systemctl({"--no-block", "restart", kService});
  if (restarted) {
    static_cast<void>(std::fprintf(stderr, "zkv: %s asks again\n", kService));
    return;
  }
  report(Error(restarted.error())
             .context(std::string(kService) + " does not ask again yet")
             .remedy("systemctl restart zfs-keyvault"));
}

bool does_service_run() { return state_of(kService) == "active"; }

void let_service_stop() {
  if (::geteuid() != 0 || (!does_stand(kTarget) && !does_stand(kService))) return;
  const auto stopped = systemctl({"--no-block", "stop", kTarget, kService});
  if (stopped) {
    static_cast<void>(std::fprintf(
        stderr, "zkv: %s ends with what requires %s; 'systemctl start zfs-keyvault' asks again\n", kService,
        kTarget));
    return;
  }
  report(Error(stopped.error())
             .context(std::string("all is locked, but ") + kTarget + " still stands for open volumes")
             .remedy("systemctl stop zfs-keyvault.target zfs-keyvault.service"));
}

void warn_of_partly_locked() {
  if (!does_stand(kTarget)) return;
  report(Error::conflict(std::string("some volumes are locked and some are not, and ") + kTarget +
                         " still stands: what requires it may start without its files")
             .remedy("end what uses them and lock again; or open all: systemctl restart zfs-keyvault"));
}

}  // namespace zkv::cli
