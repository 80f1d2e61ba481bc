// inotify, and an eventfd that a stop request writes to.
#include "prompts/folder_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace zkv::prompts {

Result<FolderWatch> FolderWatch::on(const std::vector<WatchedFolder>& folders) {
  FileDescriptor events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!events.is_open() || !wake.is_open()) return Error::system("cannot watch for prompts", errno);
  for (const auto& folder : folders) {
    std::error_code failed;
    std::filesystem::create_directories(folder.path, failed);
    const std::uint32_t what =
        IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR | (folder.also_opens ? IN_OPEN : 0U);
    if (::inotify_add_watch(events.get(), folder.path.c_str(), what) < 0 && errno != ENOENT)
      return Error::system("cannot watch " + folder.path.string(), errno);
  }
  return FolderWatch(std::move(events), std::move(wake));
}

Result<> FolderWatch::wait(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake_.get(), &one, sizeof one));
  });
  std::array<pollfd, 2> watched{{{events_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
  if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR)
    return Error::system("cannot wait for prompts", errno);
  std::array<char, 4096> seen{};
  while (::read(events_.get(), seen.data(), seen.size()) > 0) {
  }
  return {};
}

}  // namespace zkv::prompts
