// askpass has the mapping and its device in its environment, and takes what is written to the FIFO, to its
// end.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "prompts/askers.h"
#include "prompts/processes.h"

namespace zkv::prompts {

namespace {

/// What a pipe holds without a reader: pipe(7).
constexpr std::size_t kMostAtOnce = 65536;

class PassFifo : public Asker {
 public:
  explicit PassFifo(const Places& places) : folder_(places.cryptsetup), proc_(places.processes) {}

  [[nodiscard]] WatchedFolder folder() const override { return {folder_, /*also_opens=*/true}; }

  [[nodiscard]] std::vector<Prompt> prompts() const override {
    std::vector<Prompt> prompts;
    std::error_code failed;
    if (!std::filesystem::is_fifo(fifo(), failed)) return prompts;
    const auto is_askpass = [](const std::vector<std::string>& arguments) {
      return !arguments.empty() && std::filesystem::path(arguments.front()).filename() == "askpass";
    };
    for (const auto& process : find_processes(proc_, is_askpass)) {
      Prompt prompt{.id = "askpass " + std::to_string(process.id),
                    .volume = variable_of(proc_, process.id, "CRYPTTAB_NAME"),
                    .device = variable_of(proc_, process.id, "CRYPTTAB_SOURCE")};
      if (!prompt.volume.empty() || !prompt.device.empty()) prompts.push_back(std::move(prompt));
    }
    return prompts;
  }

  [[nodiscard]] Result<> answer(const Prompt& /*prompt*/, std::span<const std::uint8_t> key) const override {
    if (key.size() > kMostAtOnce) return Error::unsupported("the key is too long for the prompt's FIFO");
    // Without a reader this fails: a key never waits there for whoever comes next.
    const FileDescriptor out(::open(fifo().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
    if (!out.is_open() && (errno == ENXIO || errno == ENOENT))
      return Error::unavailable("nobody reads " + fifo().string());
    if (!out.is_open()) return Error::system("cannot open " + fifo().string(), errno);
    if (::write(out.get(), key.data(), key.size()) != static_cast<ssize_t>(key.size()))
      return Error::system("cannot write to " + fifo().string(), errno);
    return {};
  }

 private:
  [[nodiscard]] std::filesystem::path fifo() const { return folder_ / "passfifo"; }

  std::filesystem::path folder_;
  std::filesystem::path proc_;
};

}  // namespace

std::unique_ptr<Asker> pass_fifo(const Places& places) { return std::make_unique<PassFifo>(places); }

}  // namespace zkv::prompts
