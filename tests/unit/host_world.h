// An enrolled host before a real service.
#pragma once

#include "crypto/random.h"
#include "service_world.h"

namespace zkv::gateway::testing_world {

class HostServiceTest : public ServiceTest {
 protected:
  std::array<std::uint8_t, protocol::kInviteSize> invite(const std::string& name) {
    const auto made = await(service_->enrolments().invite({name, "home"}, "console:uid 0")).value();
    std::array<std::uint8_t, protocol::kInviteSize> token{};
    std::ranges::copy(made.token.span(), token.begin());
    return token;
  }
  Result<Host> enrol(const std::array<std::uint8_t, protocol::kInviteSize>& invite,
                     const SecretBytes& share) {
    return await(service_->enrolments().enrol(enrolment(invite, share), "192.0.2.7"));
  }
  protocol::Envelope enrolment(const std::array<std::uint8_t, protocol::kInviteSize>& invite,
                               const SecretBytes& share) const {
    protocol::Enrolment message;
    message.invite = invite;
    message.gateway = identity_->id();
    message.identity = host_.verifying_key();
    message.share = sealed(share);
    message.time = now();
    return protocol::seal_message(message, host_);
  }
  protocol::SealedShare sealed(const SecretBytes& share) const {
    const auto box = crypto::seal_to(identity_->sealing().public_key(), share.span()).value();
    protocol::SealedShare out{};
    std::ranges::copy(box, out.begin());
    return out;
  }
  AskVerdict host_asks(bool is_drill = false) {
    protocol::RequestMessage message;
    message.host = protocol::key_id(host_.verifying_key());
    message.gateway = identity_->id();
    message.key = crypto::BoxKey::make().public_key();
    message.time = now();
    message.number = "47";
    message.is_drill = is_drill;
    auto envelope = protocol::seal_message(message, host_);
    const auto hash = protocol::hash_of(envelope);
    asked_.assign(hash.begin(), hash.end());
    return await(service_->host_asks().ask(std::move(envelope), "192.0.2.7"))->verdict;
  }

  crypto::SigningKey host_ = crypto::SigningKey::from_seed(crypto::random_secret(32)).value();
  Bytes asked_;  ///< the hash of the newest request
  SecretBytes share_ = crypto::random_secret(protocol::kShareSize);
};

}  // namespace zkv::gateway::testing_world
