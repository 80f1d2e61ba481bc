// The sockets that systemd listens on for us and passes when it starts us.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"

namespace zkv::host {

struct Listening {
  std::string name;  ///< FileDescriptorName= of its unit
  FileDescriptor socket;
};

/// All listening AF_UNIX stream sockets of the environment ($LISTEN_PID, $LISTEN_FDS, $LISTEN_FDNAMES), which
/// is cleared of them; no child inherits them. None where this process was not meant. To be called once,
/// early. Source: sd_listen_fds(3).
std::vector<Listening> take_listening_sockets();

}  // namespace zkv::host
