// Command lines of zfs(8), and the meaning of what it answers under LC_ALL=C.
#include "unlock/zfs_program.h"

#include <algorithm>

#include "unlock/child_process.h"

namespace zkv::unlock {

namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// All lines of stderr as one, without what only repeats itself.
std::string complaint_of(const Finished& finished) {
  std::string text = finished.errors;
  while (text.ends_with('\n')) text.pop_back();
  for (auto& c : text) {
    if (c == '\n') c = ' ';
  }
  return text.empty() ? "zfs ended with code " + std::to_string(finished.exit_code) : text;
}

/// Source: the messages of OpenZFS cmd/zfs/zfs_main.c, lib/libzfs/libzfs_crypto.c and libzfs_mount.c.
Error meaning_of(const Finished& finished) {
  std::string text = complaint_of(finished);
  if (contains(text, "Incorrect key provided")) return Error::wrong_key(std::move(text));
  if (contains(text, "Key already loaded") || contains(text, "already mounted") ||
      contains(text, "dataset already exists")) {
    return Error::exists(std::move(text));
  }
  if (contains(text, "partially-completed state"))
    return Error::conflict("a zfs receive into it is not complete");
  if (contains(text, "Key already unloaded") || contains(text, "not currently mounted")) {
    return Error::not_found(std::move(text));
  }
  return Error::io(std::move(text));
}

}  // namespace

Result<ZfsProgram> ZfsProgram::find(const std::string& program, std::chrono::milliseconds limit) {
  auto path = find_program(program);
  if (!path) return std::move(path).error().remedy("install zfsutils-linux");
  return ZfsProgram(path->string(), limit);
}

Result<Listing> ZfsProgram::list(const std::vector<std::string>& names, Depth depth) const {
  Command command{path_, {"get", "-Hp", "-t", "filesystem,volume", "-o", "name,property,value"}, {}, limit_};
  if (depth == Depth::kAllBelow) command.arguments.emplace_back("-r");
  const auto order = shuffled_properties();
  std::string properties = order.front();
  for (auto next = order.begin() + 1; next != order.end(); ++next) properties += "," + *next;
  command.arguments.push_back(std::move(properties));
  command.arguments.insert(command.arguments.end(), names.begin(), names.end());
  ZKV_TRY(const auto finished, run(command));
  Listing listing;
  ZKV_TRY(listing.datasets, parse_datasets(finished.output, order));
  if (finished.exit_code == 0) return listing;
  ZKV_TRY(listing.missing, parse_missing(finished.errors));
  if (listing.missing.empty()) return Error::io("zfs get: " + complaint_of(finished));
  return listing;
}

Result<std::string> ZfsProgram::values(const std::vector<std::string>& names,
                                       std::string_view properties) const {
  Command command{path_, {"get", "-Hp", "-t", "filesystem,volume", "-o", "name,property,value"}, {}, limit_};
  command.arguments.emplace_back(properties);
  command.arguments.insert(command.arguments.end(), names.begin(), names.end());
  ZKV_TRY(auto finished, run(command));
  if (finished.exit_code != 0 && finished.output.empty()) return meaning_of(finished);
  return std::move(finished.output);
}

Result<> ZfsProgram::act(std::vector<std::string> arguments, std::span<const std::uint8_t> input) const {
  ZKV_TRY(const auto finished, run({path_, std::move(arguments), input, limit_}));
  if (finished.exit_code != 0) return meaning_of(finished);
  return {};
}

Result<> ZfsProgram::load_key(const std::string& name, const SecretBytes& answer, bool only_check) const {
  std::vector<std::string> arguments{"load-key", "-L", "prompt"};
  if (only_check) arguments.emplace_back("-n");
  arguments.push_back(name);
  return act(std::move(arguments), answer.span());
}

Result<> ZfsProgram::create(const std::string& name, const std::vector<std::string>& properties,
                            const std::string& size, std::span<const std::uint8_t> key) const {
  std::vector<std::string> arguments{"create"};
  if (size.empty()) {
    arguments.emplace_back("-u");  // It is mounted as any other is: not over what the system needs.
  } else {
    arguments.insert(arguments.end(), {"-V", size});
  }
  const bool names_cipher =
      std::any_of(properties.begin(), properties.end(),
                  [](const std::string& property) { return property.starts_with("encryption="); });
  auto all = properties;
  if (!names_cipher) all.emplace_back("encryption=on");
  all.insert(all.end(), {"keyformat=raw", "keylocation=prompt"});
  for (const auto& property : all) arguments.insert(arguments.end(), {"-o", property});
  arguments.push_back(name);
  return act(std::move(arguments), key);
}

Result<> ZfsProgram::change_key(const std::string& name, std::span<const std::uint8_t> key) const {
  return act({"change-key", "-o", "keyformat=raw", "-o", "keylocation=prompt", name}, key);
}

Result<> ZfsProgram::unload_key(const std::string& name) const {
  auto done = act({"unload-key", name}, {});
  const bool is_busy = !done && done.error().kind() == ErrorKind::kIo &&
                       contains(done.error().message(), "'" + name + "' is busy");
  if (is_busy) return Error::conflict("it is busy");
  return done;
}
Result<> ZfsProgram::mount(const std::string& name) const { return act({"mount", name}, {}); }
Result<> ZfsProgram::unmount(const std::string& name) const { return act({"unmount", name}, {}); }

}  // namespace zkv::unlock
