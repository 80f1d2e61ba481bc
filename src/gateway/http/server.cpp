// A handful of workers on duplicates of one listening socket, and what they share.
#include "gateway/http/server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "gateway/http/certificate_watch.h"
#include "gateway/http/control_routes.h"
#include "gateway/http/health_routes.h"
#include "gateway/http/host_control_routes.h"
#include "gateway/http/page_routes.h"
#include "gateway/http/people_control_routes.h"
#include "gateway/http/people_routes.h"
#include "gateway/http/worker.h"
#include "protocol/invite_link.h"

namespace zkv::gateway::http {

namespace {

constexpr unsigned kMostThreads = 4;

unsigned thread_count(unsigned wanted) {
  return wanted > 0 ? wanted : std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
}

void log_reload(const Result<>& reloaded) {
  if (reloaded) {
    spdlog::info("read the certificate again");
  } else {
    spdlog::error("the old certificate stays in use: {}", reloaded.error().message());
  }
}

class RunningServer : public Server {
 public:
  RunningServer(ServerOptions options, Service& service)
      : options_(std::move(options)),
        limits_(options_.connections, options_.connections_per_address),
        refused_([&service](std::string kind, std::string address, std::string detail) {
          service.note_refusal(std::move(kind), std::move(address), std::move(detail));
        }),
        public_{public_router_, options_.trusted_proxies, options_.timeouts, stopping_, refused_},
        control_{control_router_, {}, options_.timeouts, stopping_, refused_} {
    add_health_routes(public_router_, service);
    add_control_routes(control_router_, service);
    if (options_.v2) serve_hosts(service);
    if (!options_.legacy) return;
    legacy_.emplace(std::move(*options_.legacy), service);
    legacy_->add_to(public_router_);
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() override {
    close_down();
    finish(std::chrono::milliseconds(0));
  }

  Result<> open(Service& service) {
    if (!options_.tls_certificate.empty()) {
      ZKV_TRY(tls_, TlsContext::load(options_.tls_certificate, options_.tls_key));
    }
    for (unsigned i = 0; i < thread_count(options_.threads); ++i) {
      workers_.push_back(std::make_unique<Worker>());
    }
    if (!options_.control_socket.empty()) {
      ZKV_TRY(auto control, listen_unix(options_.control_socket));
      workers_.front()->serve_control(std::move(control), control_);
    }
    ZKV_TRY(const auto listener, listen_tcp(options_.listen));
    port_ = listener.port;
    if (options_.v2) ZKV_CHECK(serve_people(service));
    for (auto& worker : workers_) {
      ZKV_TRY(auto socket, duplicate(listener.socket));
      worker->serve_public(std::move(socket), {public_, tls_.get(), limits_});
    }
    return watch_certificate();
  }

  void run() {
    running_ = workers_.size();
    for (auto& worker : workers_) {
      threads_.emplace_back([this, &worker = *worker] {
        worker.run();
        const std::lock_guard lock(mutex_);
        --running_;
        ended_.notify_all();
      });
    }
  }

  [[nodiscard]] std::string address() const override {
    return (tls_ ? "https://" : "http://") + to_text(options_.listen.host, port_);
  }

  void reload_certificate() override {
    if (tls_) http::reload_certificate(*tls_, log_reload);
  }

  void close_down() override {
    stopping_ = true;
    for (auto& worker : workers_) worker->close_down();
    if (watch_) watch_->stop();
  }

  void finish(std::chrono::milliseconds limit) override {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, limit, [this] { return running_ == 0; });
    lock.unlock();
    for (auto& worker : workers_) worker->abandon();
    threads_.clear();
  }

 private:
  void serve_hosts(Service& service) {
    v2_.emplace(*options_.v2, service);
    v2_->add_to(public_router_);
    add_host_control_routes(control_router_, service,
                            [this](SecretBytes token) { return link_for(std::move(token)); });
  }

  /// Once the port is known: passkeys are bound to the address of the page.
  Result<> serve_people(Service& service) {
    const auto party = relying_party(options_.v2->public_url, options_.listen.host, port_, tls_ != nullptr);
    if (!party) spdlog::warn("nobody can sign in: {}; {}", party.error().message(), party.error().remedy());
    add_people_control_routes(control_router_, service, party);
    std::unique_ptr<NetworkNames> names;
    if (options_.v2->address_names) {
      ZKV_TRY(names, NetworkNames::start(*options_.v2->address_names));
    }
    door_.emplace(party, options_.v2->name, service, std::move(names));
    for (const auto add_calls :
         {add_session_calls, add_passkey_calls, add_recovery_calls, add_totp_calls, add_approver_calls,
          add_request_calls, add_host_calls, add_confirmation_calls, add_event_calls, add_push_calls}) {
      add_calls(public_router_, *door_);
    }
    std::vector<PageFile> page;
    if (!options_.v2->page_dir.empty()) {
      ZKV_TRY(page, read_page(options_.v2->page_dir));
    }
    add_page_routes(public_router_, std::move(page), party && is_https(*party));
    return {};
  }

  std::string link_for(SecretBytes token) const {
    const auto& public_url = options_.v2->public_url;
    return protocol::to_text({public_url.empty() ? address() : public_url, std::move(token),
                              options_.v2->identity->id(), tls_ ? tls_->self_signed_pin() : std::nullopt});
  }

  Result<> watch_certificate() {
    if (!tls_) return {};
    watch_.emplace(workers_.front()->io(), *tls_, log_reload);
    return watch_->start();
  }

  ServerOptions options_;
  Router public_router_;
  Router control_router_;
  std::optional<LegacyRoutes> legacy_;
  std::optional<V2Routes> v2_;
  std::optional<PeopleDoor> door_;
  ConnectionLimits limits_;
  std::atomic<bool> stopping_ = false;
  std::function<void(std::string, std::string, std::string)> refused_;
  Surroundings public_;
  Surroundings control_;
  std::unique_ptr<TlsContext> tls_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t running_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<CertificateWatch> watch_;
  std::vector<std::jthread> threads_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Service& service) {
  auto server = std::make_unique<RunningServer>(std::move(options), service);
  ZKV_CHECK(server->open(service));
  server->run();
  return server;
}

}  // namespace zkv::gateway::http
