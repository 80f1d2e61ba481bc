// What checking one answer of a passkey costs, beside its signature alone by OpenSSL.
#include <benchmark/benchmark.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <memory>

#include "gateway/passkey/passkey.h"
#include "gateway/passkey/public_key.h"
#include "software_authenticator.h"

namespace {

using namespace zkv;                    // NOLINT(google-build-using-namespace)
using namespace zkv::gateway::passkey;  // NOLINT(google-build-using-namespace)

struct Answered {
  Credential credential;
  Assertion assertion;
  Expectation expected;
};

Answered make_answer() {
  test::SoftwareAuthenticator authenticator;
  Answered made{
      authenticator.credential(), {}, {Challenge{7}, {"https://gateway.example", "gateway.example"}}};
  made.assertion = authenticator.get(made.expected.challenge);
  return made;
}

void whole_verification(benchmark::State& state) {
  const auto answer = make_answer();
  for (auto _ : state) {
    if (!verify_assertion(answer.assertion, answer.credential, answer.expected)) {
      state.SkipWithError("the answer was refused");
    }
  }
}
BENCHMARK(whole_verification);

/// With the key as OpenSSL has it, made once.
void bare_signature(benchmark::State& state) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const Bytes message(69, 1);
  Bytes signature(80);
  std::size_t size = signature.size();
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
  EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size());
  for (auto _ : state) {
    EVP_MD_CTX_reset(context.get());
    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
    if (EVP_DigestVerify(context.get(), signature.data(), size, message.data(), message.size()) != 1) {
      state.SkipWithError("the signature does not fit");
    }
  }
}
BENCHMARK(bare_signature);

}  // namespace

BENCHMARK_MAIN();
