// One thread of the server: it accepts connections and lives with each of them until it ends.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "gateway/http/connection.h"
#include "gateway/http/limits.h"
#include "gateway/http/listener.h"

namespace zkv::gateway::http {

class Worker {
 public:
  /// What the connections of a TCP listener need; outlives the worker.
  struct Public {
    const Surroundings& around;
    TlsContext* tls;  ///< null: plain http
    ConnectionLimits& limits;
  };

  Worker() = default;
  /// To be called before run().
  void serve_public(FileDescriptor listener, const Public& settings);
  /// Only root and this process's own user get in.
  void serve_control(FileDescriptor listener, const Surroundings& around);

  /// Returns when there is neither a listener nor a connection left, or after abandon().
  void run();
  /// From any thread: no new connections; idle ones end.
  void close_down();
  /// From any thread: forgets all connections.
  void abandon();

  boost::asio::io_context& io() { return io_; }

 private:
  using Admit = std::function<void(int socket, const AddressBytes& address)>;

  boost::asio::awaitable<void> accept(std::shared_ptr<boost::asio::posix::stream_descriptor> listener,
                                      Admit admit);
  bool accept_pending(int listener, const Admit& admit);
  void listen(FileDescriptor listener, Admit admit);
  void admit_public(int socket, const AddressBytes& address, const Public& settings);
  void admit_control(int socket, const Surroundings& around);
  void start(const std::shared_ptr<Connection>& connection, const std::function<void()>& ended);

  static constexpr std::size_t kScratchSize = 16 * 1024;
  std::array<std::uint8_t, kScratchSize> scratch_{};
  std::set<Connection*> connections_;
  boost::asio::io_context io_{1};
  std::vector<std::shared_ptr<boost::asio::posix::stream_descriptor>> listeners_;
};

}  // namespace zkv::gateway::http
