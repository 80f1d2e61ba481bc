// Hands keys from the shelf to systemd, which connects to the sockets that it listens on for us.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/encoding.h"
#include "base/file.h"
#include "host/listening.h"
#include "host/peer.h"
#include "unlock/key_shelf.h"

namespace zkv::host {

struct KeyServerOptions {
  uid_t allowed_uid = 0;                             ///< whose connections are answered
  std::chrono::milliseconds limit{30'000};           ///< for a peer to take its key
  std::chrono::milliseconds last_limit{20'000};      ///< the same at the end
  std::size_t most_connections = 256;                ///< at once; further ones queue up in the kernel
  std::function<void(const std::string&)> say = {};  ///< for the journal; called from the server's thread
};

/// Answers each connection with the key that its address names, and closes it. Where there is none to give,
/// systemd-cryptsetup gets nothing, and asks on the console; a unit gets more than a credential may have
/// (kTooLong zeros), and fails, since it would take nothing for an empty secret. One thread serves all, and
/// no peer holds up another. What connects before this is made waits in the kernel's queue.
class KeyServer {
 public:
  /// Sockets named "cryptsetup" and "credentials" are served, each with its own kind. `shelf` outlives this.
  KeyServer(std::vector<Listening> sockets, unlock::KeyShelf& shelf, KeyServerOptions options);
  KeyServer(const KeyServer&) = delete;
  KeyServer& operator=(const KeyServer&) = delete;
  /// Removes the paths of the sockets, so that who comes later fails at once and waits for nobody, and
  /// answers what is queued.
  ~KeyServer();

  /// Whether there is a socket for this kind.
  [[nodiscard]] bool serves(Wanted::Kind kind) const;

  /// More than systemd takes for a credential, in bytes. Source: systemd.exec(5), LoadCredential=.
  static constexpr std::size_t kTooLong = (std::size_t{1} << 20U) + 1;

 private:
  struct Answer {
    std::shared_ptr<const void> owner;
    std::span<const std::uint8_t> left;
  };
  struct Connection;
  struct Listener {
    Wanted::Kind kind;
    FileDescriptor socket;
  };

  void serve(const std::stop_token& stop);
  void finish(std::vector<Connection>& open);
  void wait(const std::vector<Connection>& open, bool is_last) const;
  void go_on(std::vector<Connection>& open);
  void remove_paths() const;
  void accept_all(const Listener& listener, std::vector<Connection>& open);
  [[nodiscard]] Answer answer_for(const Listener& listener, int connection) const;
  /// What makes the asker fail. To systemd no bytes are an empty credential, with which a unit starts.
  [[nodiscard]] Answer refused_at(Wanted::Kind kind) const;
  [[nodiscard]] Result<Wanted> wanted_of(const Listener& listener, int connection) const;
  static bool is_done(Connection& connection);
  void say(const std::string& line) const;

  std::vector<Listener> listeners_;
  unlock::KeyShelf& shelf_;
  KeyServerOptions options_;
  std::shared_ptr<const Bytes> too_long_;
  FileDescriptor wake_;
  std::jthread thread_;
};

}  // namespace zkv::host
