// Telling systemd what the service is waiting for, as `systemctl status` shows it.
#pragma once

#include <string>

namespace zkv::host {

/// STATUS=`line` for the service manager. Does nothing, and loads nothing, unless NOTIFY_SOCKET is set.
/// Source: sd_notify(3).
void notify_status(const std::string& line);

}  // namespace zkv::host
