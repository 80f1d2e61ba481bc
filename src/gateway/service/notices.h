// Telling approvers that a host asks: each channel on the pool, what came of it in the audit log.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <memory>
#include <stop_token>
#include <vector>

#include "gateway/channel/channel.h"
#include "gateway/service/desk.h"
#include "gateway/service/ledger.h"

namespace zkv::gateway {

/// On the ledger's thread only; channels are called on `pool`.
class Notices {
 public:
  Notices(Desk& desk, Ledger& ledger, boost::asio::thread_pool& pool, const ServiceOptions& options,
          std::vector<std::unique_ptr<Channel>> channels, std::stop_token stop);

  /// Whether a PIN is to be made: a channel wants one, and the hour has a message left, which this takes.
  [[nodiscard]] bool take_turn(Time now);
  /// With an empty `pin` only those channels are told that want none.
  void send(const Request& request, const SecretBytes& pin);

 private:
  void send(const std::shared_ptr<Channel>& channel, Notice notice);
  Command outcome(const RequestId& request, const Channel& channel, const Result<>& sent);

  Desk& desk_;
  Ledger& ledger_;
  boost::asio::thread_pool& pool_;
  std::size_t an_hour_;
  std::vector<std::shared_ptr<Channel>> channels_;
  std::stop_token stop_;
  std::deque<Time> turns_;  ///< when messages with a PIN were asked for within the last hour
};

}  // namespace zkv::gateway
