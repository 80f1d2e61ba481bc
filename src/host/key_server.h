// Hands keys from the shelf to systemd, which connects to the sockets that it listens on for us.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "host/listening.h"
#include "host/peer.h"
#include "unlock/key_shelf.h"

namespace zkv::host {

struct KeyServerOptions {
  uid_t allowed_uid = 0;                             ///< whose connections are answered
  std::chrono::milliseconds limit{30'000};           ///< for a peer to take its key
  std::size_t most_connections = 256;                ///< at once; further ones queue up in the kernel
  std::function<void(const std::string&)> say = {};  ///< for the journal; called from the server's thread
};

/// Answers each connection with the key that its address names, and closes it; with nothing where there is
/// none to give. One thread serves all, and no peer holds up another. What connects before this is made waits
/// in the kernel's queue.
class KeyServer {
 public:
  /// Sockets named "cryptsetup" and "credentials" are served, each with its own kind. `shelf` outlives this.
  KeyServer(std::vector<Listening> sockets, unlock::KeyShelf& shelf, KeyServerOptions options);
  KeyServer(const KeyServer&) = delete;
  KeyServer& operator=(const KeyServer&) = delete;
  /// Answers what is queued, if only by closing it.
  ~KeyServer();

  /// Whether there is a socket for this kind.
  [[nodiscard]] bool serves(Wanted::Kind kind) const;
  /// Removes the paths of the sockets: who comes later fails at once and waits for nobody.
  void remove_paths() const;

 private:
  struct Connection;
  struct Listener {
    Wanted::Kind kind;
    FileDescriptor socket;
  };

  void serve(const std::stop_token& stop);
  bool wait(const std::vector<Connection>& open, const std::stop_token& stop) const;
  bool accept_all(std::vector<Connection>& open);
  [[nodiscard]] Result<unlock::KeyShelf::Key> key_for(const Listener& listener, int connection) const;
  static bool is_done(Connection& connection);
  void say(const std::string& line) const;

  std::vector<Listener> listeners_;
  unlock::KeyShelf& shelf_;
  KeyServerOptions options_;
  FileDescriptor wake_;
  std::jthread thread_;
};

}  // namespace zkv::host
