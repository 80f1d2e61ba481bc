// Volumes that systemd opens by its own line in crypttab, with a key that it fetches from us.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "repository/volume_keys.h"
#include "unlock/crypt.h"
#include "unlock/crypttab.h"
#include "unlock/key_shelf.h"
#include "unlock/unlocker.h"

namespace zkv::unlock {

struct HandOver {
  KeyShelf* shelf = nullptr;                     ///< outlives all unlockers that are given this
  std::vector<CrypttabLine> lines{};             ///< those whose key file is our socket
  std::chrono::milliseconds ask_limit{30'000};   ///< for systemd to fetch the key of a volume
  std::chrono::milliseconds open_limit{90'000};  ///< for the mapping, where it has fetched the key
  /// Whether the key may be given to whoever opens the volume's device, as check_header() says. Without it:
  /// always.
  std::function<Result<>(const Unlocker::Volume& volume)> may_have_key = {};
  std::function<void(const std::string& line)> say = {};  ///< for the journal
  /// Begins a unit anew where it is in one of the states; restart_if(), with whatever becomes of it.
  std::function<void(const std::string& unit, const std::vector<std::string>& states)> restart_if = {};
};

/// Lays out what others fetch: of volumes of dm-crypt that have a line the part of the key that opens them,
/// unless may_have_key() says no: then say() and the shelf tell why, and open() tries it here; and of secrets
/// without a file the secret, with the units that may have it.
void stock_shelf(const repository::VolumeKeys& keys, const HandOver& hand_over);

/// As `inner`, an unlocker of a dm-crypt kind, but open() leaves volumes that have a line to systemd. It
/// waits until their mappings are there; what systemd has not opened in time is opened after all, so that a
/// late approval opens everything, and an unlucky one says what is wrong. A line with noauto is for a person
/// to start: its volume counts as served, and its key stays on the shelf. Else the key is taken off it. A
/// unit of systemd's that has failed by then is begun anew, and so is one whose volume was opened without it,
/// so that it does not ask for it for ever: it finds the mapping.
std::unique_ptr<Unlocker> make_handing_unlocker(std::unique_ptr<Unlocker> inner, HandOver hand_over,
                                                CryptOptions options);

}  // namespace zkv::unlock
