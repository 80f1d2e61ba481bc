// zfs-initramfs leaves the encryption root that it asks for in a file, and goes on when its `zfs load-key`
// ends, however it ends: one that starts after the key was loaded ends by itself, one that began before is
// ended.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>

#include "prompts/askers.h"
#include "prompts/processes.h"

namespace zkv::prompts {

namespace {

bool asks_for(const std::vector<std::string>& arguments, const std::string& filesystem) {
  const auto has = [&](const std::string& word) {
    return std::find(arguments.begin(), arguments.end(), word) != arguments.end();
  };
  const std::string for_person = "Encrypted ZFS password for " + filesystem;
  return (has("load-key") && has(filesystem)) || (has("ask-for-password") && has(for_person)) ||
         (arguments.size() > 1 && arguments.front().ends_with("systemd-ask-password") && has(for_person));
}

class ZfsConsole : public Asker {
 public:
  explicit ZfsConsole(const Places& places) : folder_(places.run), proc_(places.processes) {}

  [[nodiscard]] WatchedFolder folder() const override { return {folder_, /*also_opens=*/false}; }

  [[nodiscard]] std::vector<Prompt> prompts() const override {
    std::ifstream file(folder_ / "zfs_fs_name");
    std::string filesystem;
    if (!std::getline(file, filesystem) || filesystem.empty() || filesystem == "-") return {};
    return {{.id = "zfs " + filesystem, .wants = Wants::kOpened, .volume = filesystem}};
  }

  [[nodiscard]] Result<> answer(const Prompt& prompt, std::span<const std::uint8_t> /*key*/) const override {
    const auto asks = [&](const std::vector<std::string>& arguments) {
      return asks_for(arguments, prompt.volume);
    };
    for (const auto& process : find_processes(proc_, asks)) {
      if (::kill(process.id, SIGTERM) != 0 && errno != ESRCH)
        return Error::system("cannot end the prompt for " + prompt.volume, errno);
    }
    return {};
  }

 private:
  std::filesystem::path folder_;
  std::filesystem::path proc_;
};

}  // namespace

std::unique_ptr<Asker> zfs_console(const Places& places) { return std::make_unique<ZfsConsole>(places); }

}  // namespace zkv::prompts
