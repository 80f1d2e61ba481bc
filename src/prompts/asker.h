// Whoever asks a person for a volume's passphrase while a machine boots, and how such a prompt is answered in
// the person's stead. Each stack of an initramfs is one implementation and one line in askers.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "prompts/folder_watch.h"

namespace zkv::prompts {

/// What ends a prompt well.
enum class Wants {
  kKey,    ///< the volume's key in answer
  kOpened  ///< that somebody else has loaded the key: then it has only to be dismissed
};

struct Prompt {
  std::string id;  ///< the same for as long as it is the same prompt
  Wants wants = Wants::kKey;
  std::string volume = {};  ///< the name of the mapping or of the filesystem, if the prompt tells it
  std::string device = {};  ///< the path of the device that is to be opened, if the prompt tells it
  std::string reply = {};   ///< the asker's own
};

/// Where the system's own files are; tests have others.
struct Places {
  std::filesystem::path cryptsetup = "/lib/cryptsetup";
  std::filesystem::path ask_password = "/run/systemd/ask-password";
  std::filesystem::path run = "/run";
  std::filesystem::path processes = "/proc";
};

class Asker {
 public:
  Asker() = default;
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;
  virtual ~Asker() = default;

  /// Where something happens whenever a prompt begins. A folder that is not there may be made.
  [[nodiscard]] virtual WatchedFolder folder() const = 0;
  /// Those that are open now.
  [[nodiscard]] virtual std::vector<Prompt> prompts() const = 0;
  /// Gives `key`, or dismisses a prompt that wants none (`key` is empty then). Errors: kUnavailable (it does
  /// not listen yet, or no more: it may be tried again), kUnsupported (no such key can be given), kIo.
  [[nodiscard]] virtual Result<> answer(const Prompt& prompt, std::span<const std::uint8_t> key) const = 0;
};

/// All that are known. Making one looks at nothing.
std::vector<std::unique_ptr<Asker>> all_askers(const Places& places);

}  // namespace zkv::prompts
