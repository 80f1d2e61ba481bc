// What the messages say, and one round of them for each request.
#include "gateway/channel/web_push.h"

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <mutex>
#include <utility>

#include "base/time.h"

namespace zkv::gateway {

namespace {

constexpr std::chrono::seconds kTestLife{60};
/// A phone that is off at night still tells in the morning.
constexpr std::chrono::hours kNewsLife{12};

boost::json::value text_or_null(const std::string& text) {
  return text.empty() ? boost::json::value(nullptr) : boost::json::value(text);
}

/// docs/protocol-v2.md, "Web Push". Nothing in it is secret, though only the browser can read it.
boost::json::object message_of(const std::string& request, const std::string& host,
                               const std::string& gateway, Time expires_at) {
  return {{"request", text_or_null(request)},
          {"host", text_or_null(host)},
          {"gateway", gateway},
          {"expires", zkv::to_text(expires_at)}};
}

std::string_view to_text(PersonalNews::What what) {
  switch (what) {
    case PersonalNews::What::kHostFindings:
      return "host-findings";
    case PersonalNews::What::kCodesLocked:
      return "codes-locked";
    case PersonalNews::What::kRecoveryUsed:
      break;
  }
  return "recovery-used";
}

std::string message_of(const PersonalNews& news, const std::string& gateway, Time expires_at) {
  boost::json::object message{
      {"news", to_text(news.what)}, {"gateway", gateway}, {"expires", zkv::to_text(expires_at)}};
  if (news.what == PersonalNews::What::kHostFindings) {
    message["host"] = news.host;
    message["words"] = news.words;
  } else {
    message["address"] = news.address;
  }
  return boost::json::serialize(message);
}

std::string failure_of(const PushAnswer& answer) { return fmt::format("{}: {}", answer.service, answer.why); }

/// Gathers what became of a round's letters, and says so when all are concluded.
class RoundBook {
 public:
  RoundBook(PushAudience& audience, RequestId request, std::size_t asked) : audience_(audience) {
    round_.request = std::move(request);
    round_.asked = asked;
  }

  void note(const PushAnswer& answer) {
    const std::lock_guard lock(mutex_);
    ++concluded_;
    if (answer.verdict == PushVerdict::kTaken) ++round_.told;
    if (answer.verdict != PushVerdict::kTaken && answer.verdict != PushVerdict::kDropped) {
      round_.failures.push_back(failure_of(answer));
    }
    if (concluded_ == round_.asked) audience_.concluded(round_);
  }

 private:
  PushAudience& audience_;
  std::mutex mutex_;
  std::size_t concluded_ = 0;
  PushRound round_;
};

void say_failure(const PushAnswer& answer) {
  if (answer.verdict == PushVerdict::kTaken || answer.verdict == PushVerdict::kDropped) return;
  spdlog::warn("a push message was not taken: {}", failure_of(answer));
}

class WebPushChannel : public Channel {
 public:
  explicit WebPushChannel(std::shared_ptr<PushPost> post) : post_(std::move(post)) {}

  [[nodiscard]] std::string description() const override { return "web push"; }
  [[nodiscard]] bool wants_pin() const override { return false; }
  [[nodiscard]] bool reports_later() const override { return true; }
  Result<> notify(const Notice& notice, const std::stop_token& /*stop*/) override {
    return post_->tell(notice);
  }

 private:
  std::shared_ptr<PushPost> post_;
};

}  // namespace

PushPost::PushPost(WebPushOptions options)
    : sender_(std::move(options)),
      courier_({[this](const PushLetter& letter, const std::stop_token& stop) {
                  return sender_.send(letter, stop);
                },
                [this](const PushLetter& letter) { return audience_->still_wants(letter); }}) {}

Result<> PushPost::tell(const Notice& notice) {
  if (audience_ == nullptr) return Error::interrupted("the gateway is not open yet");
  ZKV_TRY(auto addressees, audience_->addressees());
  if (addressees.empty()) return {};
  const auto& about = notice.host.empty() ? notice.address : notice.host;
  ZKV_TRY(const auto topic, sender_.topic_of(about));
  auto message = message_of(notice.request.text, about, sender_.gateway(), notice.expires_at);
  if (notice.is_drill) message["drill"] = true;
  const auto text = boost::json::serialize(message);
  const auto book = std::make_shared<RoundBook>(*audience_, notice.request, addressees.size());
  for (auto& addressee : addressees) {
    submit({std::move(addressee), notice.request, text, topic, notice.expires_at},
           [book](const PushLetter&, const PushAnswer& answer) { book->note(answer); });
  }
  return {};
}

Result<> PushPost::tell(const PersonalNews& news, const std::vector<PushAddressee>& addressees) {
  if (audience_ == nullptr) return Error::interrupted("the gateway is not open yet");
  const Time expires_at = now() + kNewsLife;
  const auto text = message_of(news, sender_.gateway(), expires_at);
  for (const auto& addressee : addressees) {
    submit({addressee, {}, text, {}, expires_at}, [](const PushLetter&, const PushAnswer&) {});
  }
  return {};
}

Result<> PushPost::test(const std::vector<PushAddressee>& addressees) {
  if (audience_ == nullptr) return Error::interrupted("the gateway is not open yet");
  const Time expires_at = now() + kTestLife;
  const auto text = boost::json::serialize(message_of("", "", sender_.gateway(), expires_at));
  for (const auto& addressee : addressees) {
    submit({addressee, {}, text, {}, expires_at}, [](const PushLetter&, const PushAnswer&) {});
  }
  return {};
}

void PushPost::submit(PushLetter letter, PushCourier::Done done) {
  courier_.submit(std::move(letter),
                  [this, done = std::move(done)](const PushLetter& sent, const PushAnswer& answer) {
                    say_failure(answer);
                    audience_->concluded(sent, answer);
                    done(sent, answer);
                  });
}

Result<std::unique_ptr<Channel>> make_web_push_channel(WebPushChannelOptions options) {
  return std::make_unique<WebPushChannel>(std::move(options.post));
}

}  // namespace zkv::gateway
