// The open requests of the first protocol, whose clients nobody knows: a limit of their own, in all and for
// each network, so that they never use up what enrolled hosts need. On the ledger's thread only.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "gateway/approval/request.h"

namespace zkv::gateway {

/// What counts as one network: the first 24 bits of an IPv4 address, the first 48 of an IPv6 one.
std::string network_of(const std::string& address);

class OpenAsks {
 public:
  struct Ask {
    std::string network;
    std::string address;  ///< what its rows of the audit log say, or are to say
    bool is_told = true;
  };

  /// What is known of it already stays.
  void enter(const Request& request, bool is_told);
  void leave(const RequestId& id);
  /// Its rows of the audit log are written: from now on it is as one that people were told of.
  void tell(const Request& request);
  [[nodiscard]] std::size_t size() const { return asks_.size(); }
  [[nodiscard]] std::size_t of_network(const std::string& address) const;
  /// Whether it is open, and nobody was told of it.
  [[nodiscard]] bool is_untold(const RequestId& id) const;
  /// Null where it is none of these, or not open.
  [[nodiscard]] const Ask* find(const RequestId& id) const;

 private:
  std::unordered_map<std::string, Ask> asks_;  ///< by id
  std::map<std::string, std::size_t> by_network_;
};

}  // namespace zkv::gateway
