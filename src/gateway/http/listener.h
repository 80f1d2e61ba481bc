// Sockets that listen: TCP for everybody, a unix socket for whoever is logged in at the gateway.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/file.h"
#include "base/result.h"
#include "gateway/settings/settings.h"

namespace zkv::gateway::http {

struct TcpListener {
  FileDescriptor socket;
  std::uint16_t port = 0;  ///< the real one, when the system chose
};
/// Errors: kIo, with the address and the reason (in use, not permitted, not ours).
Result<TcpListener> listen_tcp(const ListenAddress& address);

/// Listens at `path` (mode 0600), in the place of a socket that nobody serves any more.
/// Errors: kExists when another process serves it, kIo, kInvalid (the path is too long).
Result<FileDescriptor> listen_unix(const std::filesystem::path& path);

/// A second descriptor of the same socket, for another thread.
Result<FileDescriptor> duplicate(const FileDescriptor& socket);

/// The user id at the other end of a unix socket. Source: unix(7), SO_PEERCRED.
std::optional<uid_t> peer_user(int socket);

/// The address text for the ready line: HOST:PORT with brackets for IPv6.
std::string to_text(const AddressBytes& host, std::uint16_t port);

}  // namespace zkv::gateway::http
