// Derive in parallel, then load; libzfs_core where it works, zfs(8) otherwise.
#include "unlock/zfs_load.h"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <optional>

#include "unlock/parallel.h"
#include "unlock/zfs_core.h"

namespace zkv::unlock {

namespace {

using Steady = std::chrono::steady_clock;

std::chrono::milliseconds since(Steady::time_point begin) {
  return std::chrono::round<std::chrono::milliseconds>(Steady::now() - begin);
}

Error interrupted() { return Error::interrupted("not tried, since a stop was asked for"); }

/// What libzfs_core's errno values mean. Source: OpenZFS libzfs_crypto.c, module dsl_crypt.c.
Result<> meaning_of(int error_number) {
  switch (error_number) {
    case 0:
      return {};
    case EACCES:
      return Error::wrong_key("the key does not open it");
    case EEXIST:
      return Error::exists("its key is loaded already");
    case ENOENT:
      return Error::not_found("it does not exist");
    case EINVAL:
      return Error::unsupported("ZFS takes no key for it");
    case EPERM:
      return Error::denied("ZFS does not allow this user to load keys").remedy("run it as root");
    case EBUSY:
      return Error::conflict("it is busy");
    case ECANCELED:
      return interrupted();
    case ETIMEDOUT:
      return Error::unavailable("ZFS did not answer in time");
    default:
      return Error::system("ZFS refused", error_number);
  }
}

Result<ZfsCore> working_library(const ZfsOptions& options) {
  ZKV_TRY(auto core, ZfsCore::load(options.libraries));
  ZKV_CHECK(core.load_keys({}, true, options.limit));
  return core;
}

/// libzfs_core, when the options want it and it works here; nothing when zfs(8) is to be used.
Result<std::optional<ZfsCore>> choose_library(const ZfsOptions& options) {
  if (options.road == Road::kProgram) return std::optional<ZfsCore>();
  auto core = working_library(options);
  if (core) return std::optional<ZfsCore>(std::move(*core));
  const bool may_fall_back = options.road == Road::kAuto && core.error().kind() == ErrorKind::kUnsupported;
  if (may_fall_back) return std::optional<ZfsCore>();
  return std::move(core).error();
}

/// The places of names in alphabetical order, in which a parent comes before its children.
template <class NameOf>
std::vector<std::size_t> in_order(std::size_t count, const NameOf& name_of) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t left, std::size_t right) { return name_of(left) < name_of(right); });
  return order;
}

/// All wrapping keys of one turn, in one run of secret memory.
class WrappingKeys {
 public:
  explicit WrappingKeys(std::size_t count) : bytes_(count * kWrappingKeySize) {}
  [[nodiscard]] std::span<std::uint8_t> at(std::size_t index) {
    return bytes_.span().subspan(index * kWrappingKeySize, kWrappingKeySize);
  }

 private:
  SecretBytes bytes_;
};

bool fits(const KeyLoad& load) {
  return load.derived && load.rule.format == KeyFormat::kPassphrase && load.derived->salt == load.rule.salt &&
         load.derived->iterations == load.rule.iterations && load.derived->key.size() == kWrappingKeySize;
}

/// Who may change a volume's key chooses what it costs to derive, and others wait for it.
Result<> check_cost(const KeyLoad& load) {
  if (load.rule.format != KeyFormat::kPassphrase || load.rule.iterations <= kMostIterations) return {};
  return Error::unsupported("its pbkdf2iters is " + std::to_string(load.rule.iterations) +
                            ", and zkv derives no key with more than " + std::to_string(kMostIterations) +
                            ", for which other volumes would wait; whoever may change its key can set that")
      .remedy("see who may (zfs allow " + load.name + "); then zfs load-key " + load.name +
              ", which takes its time, and zfs change-key -o pbkdf2iters=350000 " + load.name);
}

void derive(const KeyLoad& load, std::span<std::uint8_t> wrapping_key, KeyLoaded& loaded) {
  const auto begin = Steady::now();
  const auto sound = check_cost(load);
  const auto key = sound ? derive_wrapping_key(load.key, load.rule) : tl::unexpected(sound.error());
  loaded.result = key ? Result<>() : Result<>(tl::unexpected(key.error()));
  if (key) std::copy_n(key->data(), kWrappingKeySize, wrapping_key.begin());
  loaded.took += since(begin);
}

void derive_all(const std::vector<KeyLoad>& loads, const std::vector<std::size_t>& which, WrappingKeys& keys,
                std::vector<KeyLoaded>& loaded, const std::stop_token& stop) {
  for_each_index(which.size(), stop, [&](std::size_t place) {
    derive(loads[which[place]], keys.at(which[place]), loaded[which[place]]);
  });
}

/// Loads those of `order` whose key is ready.
void load_ready(const ZfsCore& core, const std::vector<KeyLoad>& loads, std::vector<std::size_t> order,
                bool only_check, const ZfsOptions& options, WrappingKeys& keys,
                std::vector<KeyLoaded>& loaded) {
  std::erase_if(order, [&](std::size_t i) { return !loaded[i].result; });
  if (order.empty()) return;
  std::vector<ZfsCore::Entry> entries;
  entries.reserve(order.size());
  for (const std::size_t i : order) entries.push_back({loads[i].name, keys.at(i)});
  const auto answers = core.load_keys(entries, only_check, options.limit);
  for (std::size_t place = 0; place < order.size(); ++place) {
    KeyLoaded& one = loaded[order[place]];
    if (!answers) {
      one.result = tl::unexpected(answers.error());
      continue;
    }
    one.result = meaning_of((*answers)[place].error_number);
    one.took += std::chrono::round<std::chrono::milliseconds>((*answers)[place].took);
  }
}

/// With the derived keys that fit, and where those are refused with what the passphrases give afresh.
void load_by_library(const ZfsCore& core, const std::vector<KeyLoad>& loads, Attempt attempt,
                     const ZfsOptions& options, const std::stop_token& stop, std::vector<KeyLoaded>& loaded) {
  WrappingKeys keys(loads.size());
  auto order = in_order(
      loads.size(), [&](std::size_t i) -> auto& { return loads[i].name; });
  std::vector<std::size_t> to_derive;
  for (const std::size_t i : order) {
    if (!fits(loads[i])) {
      to_derive.push_back(i);
      continue;
    }
    std::copy_n(loads[i].derived->key.begin(), kWrappingKeySize, keys.at(i).begin());
    loaded[i].result = {};
  }
  derive_all(loads, to_derive, keys, loaded, stop);
  if (stop.stop_requested()) {
    for (auto& one : loaded) one.result = tl::unexpected(interrupted());
    return;
  }
  const bool only_check = attempt == Attempt::kTrial;
  load_ready(core, loads, order, only_check, options, keys, loaded);
  std::erase_if(order, [&](std::size_t i) {
    return !fits(loads[i]) || loaded[i].result || loaded[i].result.error().kind() != ErrorKind::kWrongKey;
  });
  derive_all(loads, order, keys, loaded, stop);
  load_ready(core, loads, order, only_check, options, keys, loaded);
  to_derive.insert(to_derive.end(), order.begin(), order.end());
  for (const std::size_t i : to_derive) {
    const bool is_worth_keeping = loads[i].rule.format == KeyFormat::kPassphrase && loaded[i].result;
    if (is_worth_keeping) loaded[i].derived = SecretBytes::copy_of(keys.at(i));
  }
}

/// zfs(8) derives by itself, so that whole runs of it go in parallel.
void load_by_program(const ZfsProgram& program, const std::vector<KeyLoad>& loads, Attempt attempt,
                     const std::stop_token& stop, std::vector<KeyLoaded>& loaded) {
  const auto order = in_order(
      loads.size(), [&](std::size_t i) -> auto& { return loads[i].name; });
  for_each_index(loads.size(), stop, [&](std::size_t place) {
    const std::size_t i = order[place];
    const auto begin = Steady::now();
    const auto sound = check_cost(loads[i]);
    const auto answer =
        sound ? prompt_answer(loads[i].key, loads[i].rule.format) : tl::unexpected(sound.error());
    loaded[i].result = answer ? program.load_key(loads[i].name, *answer, attempt == Attempt::kTrial)
                              : Result<>(tl::unexpected(answer.error()));
    loaded[i].took = since(begin);
  });
}

}  // namespace

std::vector<KeyLoaded> load_keys(const std::vector<KeyLoad>& loads, Attempt attempt,
                                 const ZfsOptions& options, const ZfsProgram& program,
                                 const std::stop_token& stop) {
  std::vector<KeyLoaded> loaded(loads.size());
  for (auto& one : loaded) one.result = tl::unexpected(interrupted());
  if (loads.empty() || stop.stop_requested()) return loaded;
  const auto core = choose_library(options);
  if (!core) {
    for (auto& one : loaded) one.result = tl::unexpected(core.error());
  } else if (*core) {
    load_by_library(**core, loads, attempt, options, stop, loaded);
  } else {
    load_by_program(program, loads, attempt, stop, loaded);
  }
  return loaded;
}

std::vector<KeyLoaded> load_keys_at_sight(const std::vector<KeyLoad>& loads, const ZfsOptions& options,
                                          const std::stop_token& stop) {
  if (loads.empty() || stop.stop_requested() || options.road == Road::kProgram) return {};
  const auto core = ZfsCore::load(options.libraries);
  if (!core) return {};
  std::vector<KeyLoaded> loaded(loads.size());
  WrappingKeys keys(loads.size());
  const auto order = in_order(
      loads.size(), [&](std::size_t i) -> auto& { return loads[i].name; });
  for (const std::size_t i : order) {
    if (fits(loads[i])) {
      std::copy_n(loads[i].derived->key.begin(), kWrappingKeySize, keys.at(i).begin());
    } else if (loads[i].rule.format != KeyFormat::kPassphrase) {
      derive(loads[i], keys.at(i), loaded[i]);
    } else {
      loaded[i].result = Error::invalid("it has no derived key");
    }
  }
  load_ready(*core, loads, order, false, options, keys, loaded);
  return loaded;
}

std::vector<Result<>> unload_keys(const std::vector<std::string>& names, const ZfsOptions& options,
                                  const ZfsProgram& program, const std::stop_token& stop) {
  std::vector<Result<>> unloaded(names.size(), tl::unexpected(interrupted()));
  if (names.empty() || stop.stop_requested()) return unloaded;
  const auto core = choose_library(options);
  if (!core) return std::vector<Result<>>(names.size(), tl::unexpected(core.error()));
  auto order = in_order(
      names.size(), [&](std::size_t i) -> auto& { return names[i]; });
  std::reverse(order.begin(), order.end());
  if (!*core) {
    for (const std::size_t i : order) unloaded[i] = program.unload_key(names[i]);
    return unloaded;
  }
  std::vector<ZfsCore::Entry> entries;
  entries.reserve(order.size());
  for (const std::size_t i : order) entries.push_back({names[i], {}});
  const auto answers = (*core)->unload_keys(entries, options.limit);
  if (!answers) return std::vector<Result<>>(names.size(), tl::unexpected(answers.error()));
  for (std::size_t place = 0; place < order.size(); ++place) {
    const int error_number = (*answers)[place].error_number;
    // For unloading, EACCES says that no key is loaded.
    unloaded[order[place]] =
        error_number == EACCES ? Error::not_found("no key is loaded") : meaning_of(error_number);
  }
  return unloaded;
}

}  // namespace zkv::unlock
