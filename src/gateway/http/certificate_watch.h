// Has the certificate read again when its files change, by inotify on their directories.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <string>

#include "gateway/http/tls_context.h"

namespace zkv::gateway::http {

/// Told of each try: nothing for success, or why the old certificate stays.
using ReloadReport = std::function<void(const Result<>&)>;

/// Tries again, and reports.
void reload_certificate(TlsContext& tls, const ReloadReport& report);

class CertificateWatch {
 public:
  CertificateWatch(boost::asio::io_context& io, TlsContext& tls, ReloadReport report);
  /// Errors: kIo when the directories cannot be watched.
  Result<> start();
  /// From any thread.
  void stop();

 private:
  boost::asio::awaitable<void> run();

  boost::asio::posix::stream_descriptor changes_;
  TlsContext& tls_;
  ReloadReport report_;
  std::string stamp_;  ///< of the files that were read last
};

}  // namespace zkv::gateway::http
