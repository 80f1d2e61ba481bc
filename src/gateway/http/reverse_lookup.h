// Questions to name servers by c-ares: from an address to the name that leads back to it.
#pragma once

#include <ares.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace zkv::gateway::http {

/// For one thread. What is under way when this goes is given up, and told to nobody.
class ReverseLookup {
 public:
  using Done = std::function<void(const std::string& address, const std::string& name)>;

  /// `servers`: as in "127.0.0.1:5353,[::1]:53", empty for those of /etc/resolv.conf; `patience`: for one
  /// try, of two. `done` is told each name, empty where there is none that leads back. Errors: kUnavailable.
  static Result<std::unique_ptr<ReverseLookup>> open(const std::string& servers,
                                                     std::chrono::milliseconds patience, Done done);
  struct CloseChannel {
    void operator()(ares_channel channel) const { ares_destroy(channel); }
  };
  using Channel = std::unique_ptr<ares_channeldata, CloseChannel>;
  /// For open().
  ReverseLookup(Channel channel, Done done);
  ReverseLookup(const ReverseLookup&) = delete;
  ReverseLookup& operator=(const ReverseLookup&) = delete;
  ~ReverseLookup();

  /// `address` is IPv4 or IPv6 in text; of anything else `done` is told at once that it has no name.
  void begin(const std::string& address);
  [[nodiscard]] std::size_t under_way() const { return under_way_; }
  /// Waits until a server answers, one has taken too long, or `wake` can be read, and deals with that.
  void wait(int wake);

 private:
  struct Question;
  static void take_name(void* question, int status, int timeouts, hostent* answer);
  static void take_addresses(void* question, int status, int timeouts, hostent* answer);
  void finish(const Question& question, const std::string& name);

  Channel channel_;
  Done done_;
  std::size_t under_way_ = 0;
};

}  // namespace zkv::gateway::http
