// Looking at a machine: everything that the checks judge, gathered once.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "doctor/facts.h"
#include "doctor/finding.h"
#include "doctor/system.h"
#include "host/boot.h"
#include "host/gateway_client.h"

namespace zkv::doctor {

struct GatherOrder {
  System system = System();
  std::filesystem::path repository;     ///< as that machine names it
  std::filesystem::path unlock_record;  ///< the same
  std::filesystem::path drift_record;   ///< the same
  std::string tpm;                      ///< as tpm::Tpm::open() takes it
  bool asks = false;                    ///< sends each gateway a request, and cancels it
  /// How a gateway is reached whose certificate may be pinned.
  std::function<host::Exchange(const std::optional<crypto::Sha256>& certificate)> exchange_with;
};

/// The repository that the settings of zfs-keyvault.service name; empty where they name none.
std::filesystem::path repository_of_service(const System& system);

/// Nothing is changed. What cannot be seen (by this user, or in a mounted image) is named in `unseen`.
/// `unlockers` are asked on the running machine alone.
Facts gather(const GatherOrder& order, const host::Unlockers& unlockers, const std::stop_token& stop);

/// A disk that is reached by several paths counts once, and what is part of something else not at all.
LuksTwins find_luks_twins(const System& system);

/// Only the initramfses that are older than what they hold a copy of. `repository` is as that machine names
/// it.
std::vector<Found> look_for_old_initramfses(const System& system, const std::filesystem::path& repository);

}  // namespace zkv::doctor
