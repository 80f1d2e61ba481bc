// Who has connected to a socket of ours, as the kernel says, and what it wants, as its own address says.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace zkv::host {

/// What systemd asks for.
struct Wanted {
  enum class Kind { kVolume, kCredential };
  Kind kind = Kind::kVolume;
  std::string name;  ///< of the volume, or of the credential
  std::string unit;  ///< that the credential is for
};

/// Reads the abstract address that systemd connects from: NUL, a random number, then "/cryptsetup/VOLUME" or
/// "/unit/UNIT/CREDENTIAL". Errors: kInvalid. Source: crypttab(5), "AF_UNIX KEY FILES"; systemd.exec(5),
/// LoadCredential=.
Result<Wanted> parse_wanted(std::string_view address);

struct Peer {
  uid_t uid = 0;
  pid_t pid = 0;
  std::string address;  ///< as bound, with the NUL in front of an abstract one; empty: none
};
/// `connection` is a connected AF_UNIX socket. Errors: kIo.
Result<Peer> peer_of(int connection);

}  // namespace zkv::host
