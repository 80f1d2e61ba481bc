// Answers the prompts of an initramfs with the keys of a repository, beside whoever sits at the console: the
// first answer wins.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "prompts/asker.h"
#include "repository/volume_keys.h"
#include "unlock/unlocker.h"

namespace zkv::prompts {

/// What answering needs of the rest of the program.
struct AnsweringOptions {
  std::function<void(const std::string&)> say;  ///< a line for the console
  std::filesystem::path devices = "/dev";
  /// Whether the key may be given to whoever opens the device that the volume's settings name. Without it:
  /// always.
  std::function<Result<>(const repository::VolumeKeys::Volume& volume)> may_have_key = {};
};

/// The volume that a prompt asks for, by the device that both name, else by its name; for ZFS the filesystem
/// that the prompt names, or the nearest above it. Null when the repository does not hold it.
const repository::VolumeKeys::Volume* find_asked(const Prompt& prompt,
                                                 const std::vector<repository::VolumeKeys::Volume>& volumes,
                                                 const std::filesystem::path& devices);

/// Answers whatever asks for one of the volumes in `keys`, once each, until a stop is asked for. A volume
/// that is to be opened is opened by the one of `unlockers` that has its kind. Errors: kIo (prompts cannot be
/// watched).
Result<> answer_prompts(const repository::VolumeKeys& keys, const std::vector<std::unique_ptr<Asker>>& askers,
                        const std::vector<std::unique_ptr<unlock::Unlocker>>& unlockers,
                        const AnsweringOptions& options, const std::stop_token& stop);

}  // namespace zkv::prompts
