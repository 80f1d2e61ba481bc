// systemctl, and the road that a key takes from the initramfs.
#include "waiting_service.h"

#include <unistd.h>

#include <cstdio>

#include "commands.h"
#include "host/handover.h"
#include "unlock/child_process.h"

namespace zkv::cli {

namespace {

constexpr std::chrono::seconds kManagerLimit{30};
constexpr const char* kService = "zfs-keyvault.service";

Result<unlock::Finished> systemctl(std::vector<std::string> words) {
  ZKV_TRY(auto program, unlock::find_program("systemctl"));
  return unlock::run({std::move(program), std::move(words), {}, kManagerLimit});
}

bool does_wait() {
  const auto shown = systemctl({"show", "--property=ActiveState", "--value", kService});
  return shown && (shown->output == "activating\n" || shown->output == "failed\n");
}

Result<> begin_anew(const repository::RepositoryKey& key) {
  ZKV_CHECK(host::leave_handover(key));
  ZKV_TRY(const auto restarted, systemctl({"--no-block", "restart", kService}));
  if (restarted.exit_code == 0) return {};
  static_cast<void>(host::take_handover());
  return Error::io("systemctl: " + restarted.errors.substr(0, restarted.errors.find('\n')));
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
