// Speaking to a running gateway over its control socket.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "base/result.h"
#include "commands.h"

namespace zkv::cli {

class ControlClient {
 public:
  /// Finds the socket by the settings. Errors: kInvalid for wrong settings.
  static Result<ControlClient> find(const Session& session);

  /// One exchange. Errors: kUnavailable when no gateway runs there; otherwise the gateway's own words.
  Result<boost::json::value> send(const std::string& method, const std::string& path,
                                  const std::string& body = {}) const;

 private:
  explicit ControlClient(std::string socket) : socket_(std::move(socket)) {}
  std::string socket_;
};

}  // namespace zkv::cli
