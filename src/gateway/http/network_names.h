// What the network calls an address: the name that its owner gave it in the DNS, where that name leads back
// to the address (forward-confirmed reverse DNS).
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "gateway/http/reverse_lookup.h"

namespace zkv::gateway::http {

struct NetworkNamesOptions {
  std::string servers;                        ///< as ReverseLookup::open()
  std::chrono::milliseconds patience{1'500};  ///< the same
  std::chrono::seconds keeps_name{3'600};     ///< how long an answer is good
  std::chrono::seconds keeps_nothing{300};    ///< the same where there was no name, or no answer
};

/// Thread-safe. Nobody waits for a name server: what is not known yet is looked up for whoever asks next, on
/// one thread of this object's own.
class NetworkNames {
 public:
  /// Errors: kIo.
  static Result<std::unique_ptr<NetworkNames>> start(NetworkNamesOptions options = {});
  /// For start(). `wake` is an eventfd.
  NetworkNames(NetworkNamesOptions options, FileDescriptor wake);
  NetworkNames(const NetworkNames&) = delete;
  NetworkNames& operator=(const NetworkNames&) = delete;
  /// Gives up what is being looked up.
  ~NetworkNames();

  /// The name of an IPv4 or IPv6 address: at most 253 letters, digits, dots, hyphens and underscores. Nothing
  /// while it is not known, where there is none, and where it does not lead back.
  std::optional<std::string> name_of(const std::string& address);

  /// Waits until nothing is being looked up.
  void settle();

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    std::string name;  ///< empty: there is none
    Clock::time_point until;
    bool is_asked = false;  ///< it is being looked up
  };

  void work(const std::stop_token& stop);
  /// False: it is to end.
  bool wait_for_wanted(const std::stop_token& stop);
  void look_up(const std::stop_token& stop);
  /// The newest first.
  std::vector<std::string> take_wanted(std::size_t most);
  void keep(const std::string& address, const std::string& name);
  bool make_room();
  void wake();

  NetworkNamesOptions options_;
  FileDescriptor wake_;  ///< an eventfd
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Known> known_;
  std::vector<std::string> wanted_;
  std::jthread thread_;
};

}  // namespace zkv::gateway::http
