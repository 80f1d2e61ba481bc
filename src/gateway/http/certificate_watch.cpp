// Changes come in bursts (certificate, key, links): they are gathered for a moment before the files are read.
#include "gateway/http/certificate_watch.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>

namespace zkv::gateway::http {

namespace asio = boost::asio;

namespace {

constexpr auto kGathering = std::chrono::milliseconds(200);
constexpr std::uint32_t kChanges = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE;

std::filesystem::path directory_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

/// Tells the files from others that were put in their place: device, inode, size and time of change.
std::string stamp_of(const TlsContext& tls) {
  std::string stamp;
  for (const auto& file : {tls.certificate(), tls.key()}) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) info = {};
    stamp += fmt::format("{} {} {} {}.{}\n", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                         info.st_mtim.tv_nsec);
  }
  return stamp;
}

}  // namespace

void reload_certificate(TlsContext& tls, const ReloadReport& report) { report(tls.reload()); }

CertificateWatch::CertificateWatch(asio::io_context& io, TlsContext& tls, ReloadReport report)
    : changes_(io), tls_(tls), report_(std::move(report)), stamp_(stamp_of(tls)) {}

Result<> CertificateWatch::start() {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return Error::system("watching the certificate", errno);
  changes_.assign(fd);
  for (const auto& file : {tls_.certificate(), tls_.key()}) {
    if (::inotify_add_watch(fd, directory_of(file).c_str(), kChanges) < 0) {
      return Error::system("watching " + directory_of(file).string(), errno);
    }
  }
  asio::co_spawn(changes_.get_executor(), run(), asio::detached);
  return {};
}

void CertificateWatch::stop() {
  asio::post(changes_.get_executor(), [this] {
    boost::system::error_code ignored;
    changes_.close(ignored);
  });
}

asio::awaitable<void> CertificateWatch::run() {
  std::array<char, 4096> events{};
  asio::steady_timer timer(changes_.get_executor());
  while (true) {
    const auto [error, size] =
        co_await changes_.async_read_some(asio::buffer(events), asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    timer.expires_after(kGathering);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!changes_.is_open()) co_return;
    while (::read(changes_.native_handle(), events.data(), events.size()) > 0) continue;
    auto stamp = stamp_of(tls_);
    if (stamp == stamp_) continue;
    stamp_ = std::move(stamp);
    reload_certificate(tls_, report_);
  }
}

}  // namespace zkv::gateway::http
