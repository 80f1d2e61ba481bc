// SO_PEERCRED and getpeername.
#include "host/peer.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace zkv::host {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

Error no_address_of_systemd() { return Error::invalid("its address is none of systemd's"); }

/// What stands before the first slash, which is taken off with it; empty when there is no slash.
std::string_view take_part(std::string_view& text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  const auto part = text.substr(0, slash);
  text.remove_prefix(slash + 1);
  return part;
}

bool is_one_word(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '/'; });
}

}  // namespace

Result<Wanted> parse_wanted(std::string_view address) {
  if (address.empty() || address.front() != '\0') return no_address_of_systemd();
  address.remove_prefix(1);
  const auto number = take_part(address);
  const bool is_number = !number.empty() && number.find_first_not_of(kHexDigits) == std::string_view::npos;
  const auto what = take_part(address);
  Wanted wanted;
  if (what == "unit") {
    wanted.kind = Wanted::Kind::kCredential;
    wanted.unit = take_part(address);
  }
  wanted.name = address;
  const bool is_sound = is_number && (what == "cryptsetup" || (what == "unit" && is_one_word(wanted.unit))) &&
                        is_one_word(wanted.name);
  if (!is_sound) return no_address_of_systemd();
  return wanted;
}

Result<Peer> peer_of(int connection) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Error::system("asking who has connected", errno);
  }
  sockaddr_un address{};
  socklen_t length = sizeof address;
  if (::getpeername(connection, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return Error::system("asking who has connected", errno);
  }
  const auto used = std::min<std::size_t>(length, sizeof address) - offsetof(sockaddr_un, sun_path);
  return Peer{credentials.uid, credentials.pid, std::string(address.sun_path, used)};
}

}  // namespace zkv::host
