// From a signed request to an opened release, through whatever the network does meanwhile.
#include "host/enrolled_client.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/plain_text.h"
#include "host/answer.h"
#include "host/gateway_link.h"
#include "host/narrator.h"
#include "host/tries.h"
#include "protocol/json_members.h"
#include "repository/slot.h"

namespace zkv::host {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kExchangeLimit{20};
constexpr std::chrono::seconds kPollWait{25};
/// From the beginning of one poll to that of the next, however early the gateway answers.
constexpr std::chrono::seconds kPollSpacing{1};
/// After a request that nobody decided, where no time limit ends the asking. It is what zfs-keyvault.service
/// leaves between two tries: each request makes somebody's phone ring.
constexpr std::chrono::minutes kRestAfterSilence{15};
constexpr std::chrono::seconds kFarewellLimit{3};
constexpr unsigned kAcknowledgements = 3;
constexpr std::size_t kReportLimit = std::size_t{256} << 10U;
constexpr std::size_t kLongestWord = 400;
constexpr std::size_t kLongestState = 32;
constexpr std::uint64_t kMostPeople = 1'000'000;

/// A request of ours that the gateway took.
struct OpenRequest {
  crypto::BoxKey key;
  protocol::RequestHash hash{};
  std::string id;  ///< as people see it
  std::optional<std::uint64_t> deciders = std::nullopt;
};

std::string path_of(const protocol::RequestHash& hash) {
  return "/v2/requests/" + to_base64(hash, Base64::kUrlNoPadding);
}

Result<std::string> word_of(protocol::Word::Kind kind, const protocol::RequestHash& hash, Time time,
                            const protocol::Signer& identity) {
  ZKV_TRY(const auto envelope, protocol::seal_message(protocol::Word{kind, hash, time}, identity));
  return protocol::to_json(envelope);
}

/// What a poll says. Nobody signed it but the release: its words are made fit to be shown.
struct Report {
  std::string id;
  std::string state;
  std::string reason;
  std::optional<std::string> release;
  std::optional<std::uint64_t> asked = std::nullopt;  ///< people; nothing: it does not say
};

Result<Report> read_report(const std::string& body) {
  ZKV_TRY(const auto object, protocol::parse_object(body, kReportLimit));
  const protocol::Members members(object);
  Report report;
  ZKV_TRY(report.id, members.text("id", kLongestWord));
  if (!is_request_id(report.id)) return Error::invalid("'id' is not what requests are called by");
  ZKV_TRY(const auto state, members.text("state", kLongestState));
  report.state = plain_text(state);
  if (members.has("reason")) {
    ZKV_TRY(const auto reason, members.text("reason", kLongestWord));
    report.reason = plain_text(reason);
  }
  if (members.has("asked")) {
    ZKV_TRY(report.asked, members.number("asked", kMostPeople));
  }
  if (const auto* release = object.if_contains("release")) report.release = boost::json::serialize(*release);
  return report;
}

/// All that one gateway's loop remembers from try to try.
class EnrolledAsking {
 public:
  EnrolledAsking(const Enrolment& enrolment, const EnrolmentKeys& keys, const Plea& plea,
                 const AskOptions& options, const Exchange& exchange, const std::stop_token& stop)
      : enrolment_(enrolment),
        keys_(keys),
        plea_(plea),
        options_(options),
        stop_(stop),
        link_(enrolment.address, enrolment.gateway, exchange,
              [this](net::Obstacle obstacle) { met_ = obstacle; }),
        narrator_(enrolment.address, options.say) {}

  Result<Released> run() {
    const Tries tries{enrolment_.address, options_, [this] { return try_once(); },
                      [this] { return request_.has_value(); }};
    auto share = try_until_answered(tries, narrator_, stop_);
    if (!share) {
      cancel();
      return std::move(share).error();
    }
    if (plea_.next_boot) return Released{enrolment_, SecretBytes(), released_, until_ - clock_offset_};
    return Released{enrolment_, repository::join_shares(*share, keys_.local_share), released_, {}};
  }

  Result<TriedRequest> run_trial() {
    if (auto failed = know_gateway()) return error_of(std::move(*failed));
    if (auto failed = submit()) return error_of(std::move(*failed));
    TriedRequest tried{request_->id, request_->deciders};
    cancel();
    return tried;
  }

 private:
  static Error error_of(Answer answer) {
    if (auto* ended = std::get_if<Ended>(&answer)) return std::move(ended->error);
    return Error::unavailable(std::get<TryAgain>(answer).why);
  }

  Answer try_once() {
    if (!is_known_) {
      if (auto failed = know_gateway()) return std::move(*failed);
    }
    if (!request_) {
      if (auto failed = submit()) return std::move(*failed);
    }
    return poll();
  }

  [[nodiscard]] std::chrono::milliseconds at_most(std::chrono::milliseconds limit) const {
    return options_.deadline ? std::min(limit, time_left(options_.deadline)) : limit;
  }

  /// Of the exchange that has just failed.
  Answer meaning_of_failure(const Error& error) {
    return host::meaning_of(error, std::exchange(met_, std::nullopt));
  }

  /// Checks whom we speak to, and what time it has there.
  std::optional<Answer> know_gateway() {
    const auto statement = link_.statement(at_most(kExchangeLimit), stop_);
    if (!statement) return meaning_of_failure(statement.error());
    if (plea_.is_drill && !statement->does_know(protocol::kKnowsDrills)) {
      return Ended{Error::unsupported("this gateway knows no drills: it would take one for a boot")
                       .remedy("upgrade zkvgateway there, or drill with a key: zkv drill --key-file FILE")};
    }
    if (plea_.successor && !statement->does_know(protocol::kKnowsSuccessions)) {
      return Ended{Error::unsupported(enrolment_.address + " is older than new keys for its hosts")
                       .remedy("upgrade zkvgateway there")};
    }
    gateway_key_ = statement->signing;
    clock_offset_ = statement->time - now();
    is_known_ = true;
    return std::nullopt;
  }

  std::optional<Answer> submit() {
    OpenRequest request{crypto::BoxKey::make(), {}, {}};
    protocol::RequestMessage message;
    message.host = enrolment_.host;
    message.gateway = enrolment_.gateway;
    message.key = request.key.public_key();
    message.time = now() + clock_offset_;
    message.number = plea_.number;
    message.repository = enrolment_.repository;
    message.generation = plea_.generation;
    message.volumes = plea_.volumes;
    message.evidence = plea_.evidence;
    message.next_boot = plea_.next_boot;
    message.is_drill = plea_.is_drill;
    message.successor = plea_.successor;
    message.evidence.has_tpm = enrolment_.in_tpm;
    const auto envelope = protocol::seal_message(message, *keys_.identity);
    if (!envelope) return meaning_of_failure(envelope.error());
    request.hash = protocol::hash_of(*envelope);
    const auto answer =
        link_.post("/v2/requests", protocol::to_json(*envelope), at_most(kExchangeLimit), stop_);
    if (!answer) return meaning_of_failure(answer.error());
    if (answer->status != 200 && answer->status != 201) return refusal(*answer);
    const auto report = read_report(answer->body);
    if (!report) return TryAgain{"the gateway's answer cannot be read", std::nullopt};
    request.id = report->id;
    request.deciders = report->asked;
    request_ = std::move(request);
    narrator_.waiting(request_->id, plea_.number, report->asked.value_or(0));
    return std::nullopt;
  }

  /// What an answer other than a success means for a request.
  Answer refusal(const GatewayAnswer& answer) {
    if (answer.problem == "boot-waits") {
      return Ended{Error::conflict("a request of this host waits for somebody already: " + answer.detail)
                       .remedy("have that one decided, and try again then")};
    }
    if (answer.status == 409) is_known_ = false;  // Our idea of its clock may be what is wrong.
    if (answer.status == 403) {
      return Ended{Error::refused("the gateway refuses this host: " + answer.detail)
                       .remedy("see 'zkvgateway host list' there; enrol again by a new link if it must be")};
    }
    if (answer.status == 400) {
      return Ended{Error::unsupported("the gateway does not understand: " + answer.detail)};
    }
    return TryAgain{answer.detail, answer.retry_after};
  }

  Answer poll() {
    while (true) {
      const auto begin = Steady::now();
      const auto answer = link_.get(path_of(request_->hash) + "?wait=" + std::to_string(kPollWait.count()),
                                    at_most(kPollWait + kExchangeLimit), stop_);
      if (!answer) return meaning_of_failure(answer.error());
      if (answer->status == 404) {
        request_.reset();
        return ask_anew("the gateway has forgotten the request");
      }
      if (answer->status != 200) return TryAgain{answer->detail, answer->retry_after};
      const auto report = read_report(answer->body);
      if (!report) return TryAgain{"the gateway's answer cannot be read", std::nullopt};
      if (!is_open(*report)) return meaning_of(*report);
      const auto rest = std::chrono::ceil<std::chrono::milliseconds>(begin + kPollSpacing - Steady::now());
      if (!options_.wait(std::max(rest, std::chrono::milliseconds(0)), options_.deadline, stop_)) {
        return Ended{Error::interrupted("stopped while waiting")};
      }
    }
  }

  /// Approved without a reason: the share is on its way from the vault.
  static bool is_open(const Report& report) {
    return report.state == "pending" || (report.state == "approved" && report.reason.empty());
  }

  /// Another request is to be made. At once, where it is the first such one; else try_until_answered()
  /// pauses.
  static TryAgain ask_anew(std::string why) { return {std::move(why), std::chrono::milliseconds(0)}; }

  Answer meaning_of(const Report& report) {
    if (report.state == "released" && report.release) return open(*report.release);
    if (report.state == "approved") {
      return TryAgain{"approved, but the share is not there yet" +
                          (report.reason.empty() ? std::string() : ": " + report.reason),
                      std::nullopt};
    }
    const auto why = report.reason.empty() ? std::string() : ": " + report.reason;
    const auto id = std::exchange(request_, std::nullopt)->id;
    if (report.state == "denied") return Ended{Error::denied("request " + id + " was denied" + why)};
    if (report.state == "superseded") {
      return Ended{
          Error(ErrorKind::kSuperseded, "request " + id + " was superseded: this host has asked once more")
              .remedy("if that was nobody here, revoke the host at the gateway; where volumes stay locked "
                      "once that is decided: systemctl restart zfs-keyvault")};
    }
    if (report.state == "expired" && !options_.deadline) {
      return TryAgain{"nobody decided about request " + id, kRestAfterSilence};
    }
    return ask_anew("request " + id + " ended: " + report.state + why);
  }

  static Ended bad_release(const std::string& why) {
    return Ended{Error::corrupt("the gateway's answer is not to be trusted: " + why)};
  }

  template <class Word>
  [[nodiscard]] bool is_for_us(const Word& word) const {
    return word.request == request_->hash && word.host == enrolment_.host &&
           word.gateway == enrolment_.gateway;
  }

  Answer take_boot_approval(const protocol::Envelope& envelope) {
    const auto approval = protocol::open_envelope<protocol::BootApproval>(envelope, gateway_key_);
    if (!approval) return bad_release(approval.error().message());
    if (!is_for_us(*approval)) return bad_release("it is for another request");
    until_ = approval->until;
    released_ = request_->hash;
    return KeyGiven{SecretBytes()};
  }

  /// The release is believed only as far as the pinned key signed it for this very request.
  Answer open(const std::string& text) {
    const auto envelope = protocol::parse_envelope(text);
    if (!envelope) return bad_release(envelope.error().message());
    if (plea_.next_boot) return take_boot_approval(*envelope);
    const auto release = protocol::open_envelope<protocol::Release>(*envelope, gateway_key_);
    if (!release) return bad_release(release.error().message());
    if (!is_for_us(*release)) return bad_release("it is for another request");
    auto share = request_->key.open(release->sealed);
    if (!share) return bad_release(share.error().message());
    released_ = request_->hash;
    return KeyGiven{std::move(*share)};
  }

  /// So that nobody approves what nobody waits for any more.
  void cancel() {
    if (!request_) return;
    const auto word =
        word_of(protocol::Word::Kind::kCancel, request_->hash, now() + clock_offset_, *keys_.identity);
    if (word) static_cast<void>(link_.post(path_of(request_->hash) + "/words", *word, kFarewellLimit, {}));
    request_.reset();
  }

  const Enrolment& enrolment_;
  const EnrolmentKeys& keys_;
  const Plea& plea_;
  const AskOptions& options_;
  const std::stop_token& stop_;
  std::optional<net::Obstacle> met_;  ///< by the last exchange that failed
  GatewayLink link_;
  Narrator narrator_;
  bool is_known_ = false;
  crypto::VerifyingKey gateway_key_{};  ///< whose hash was pinned
  std::chrono::milliseconds clock_offset_{0};
  std::optional<OpenRequest> request_;
  protocol::RequestHash released_{};
  Time until_{};  ///< by the gateway's clock: to when the next boot is approved
};

}  // namespace

Result<Released> ask_enrolled_gateway(const Enrolment& enrolment, const EnrolmentKeys& keys, const Plea& plea,
                                      const AskOptions& options, const Exchange& exchange,
                                      const std::stop_token& stop) {
  return EnrolledAsking(enrolment, keys, plea, options, exchange, stop).run();
}

Result<TriedRequest> try_enrolled_gateway(const Enrolment& enrolment, const EnrolmentKeys& keys,
                                          const Plea& plea, const Exchange& exchange,
                                          const std::stop_token& stop) {
  const AskOptions options;
  return EnrolledAsking(enrolment, keys, plea, options, exchange, stop).run_trial();
}

void acknowledge(const Released& released, const EnrolmentKeys& keys, const Exchange& exchange) {
  const GatewayLink link(released.enrolment.address, released.enrolment.gateway, exchange);
  const auto word = word_of(protocol::Word::Kind::kAcknowledge, released.request, now(), *keys.identity);
  if (!word) return;
  for (unsigned i = 0; i < kAcknowledgements; ++i) {
    const auto answer = link.post(path_of(released.request) + "/words", *word, kFarewellLimit, {});
    if (answer && answer->status < 500 && answer->status != 429) return;
  }
}

}  // namespace zkv::host
