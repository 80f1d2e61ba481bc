// systemctl, and the road that a key takes from the initramfs.
#include "waiting_service.h"

#include <unistd.h>

#include <cstdio>

#include "commands.h"
#include "host/handover.h"
#include "unlock/system_tool.h"

namespace zkv::cli {

namespace {

constexpr std::chrono::seconds kManagerLimit{30};
constexpr const char* kService = "zfs-keyvault.service";

Result<std::string> systemctl(std::vector<std::string> words) {
  return unlock::run_tool("systemctl", std::move(words), 0, kManagerLimit);
}

bool does_wait() {
  const auto shown = systemctl({"show", "--property=ActiveState", "--value", kService});
  return shown && (*shown == "activating\n" || *shown == "failed\n");
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

}  // namespace zkv::cli
