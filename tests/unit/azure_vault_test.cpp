// Azure Key Vault: tokens, attributes, faults, and vaults that want our token.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vault_world.h"

namespace zkv::gateway {
namespace {

using std::chrono::seconds;
using test::answer;
using test::HttpServer;
using test::RawAnswer;
using test::ReceivedRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(AzureVault, AsksForATokenAndThenForTheSecretAsDocumented) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  ASSERT_TRUE(world.vault()->recover("zkv-nas", {}));
  const auto requests = world.azure.server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].line(), "POST /tenant/oauth2/v2.0/token HTTP/1.1");
  EXPECT_EQ(requests[0].body,
            "grant_type=client_credentials&client_id=client&client_secret=s3cret%26&scope=https%3A%2F%"
            "2Fvault.azure."
            "net%2F.default");
  EXPECT_EQ(requests[1].line(), "GET /secrets/zkv-nas?api-version=7.4 HTTP/1.1");
}

TEST(AzureVault, UsesATokenUntilShortlyBeforeItsEnd) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  const auto vault = world.vault();
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  world.time.at = kStart + seconds(3299);
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  EXPECT_EQ(world.azure.tokens_given, 1);
  world.time.at = kStart + seconds(3300);
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  EXPECT_EQ(world.azure.tokens_given, 2);
}

TEST(AzureVault, AShortTokenIsUsedForNineTenthsOfItsLife) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.token_life = 100;
  const auto vault = world.vault();
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  world.time.at = kStart + seconds(89);
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  EXPECT_EQ(world.azure.tokens_given, 1);
  world.time.at = kStart + seconds(90);
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  EXPECT_EQ(world.azure.tokens_given, 2);
}

TEST(AzureVault, ATokenThatIsNoLongerTakenIsRenewedOnce) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  const auto vault = world.vault();
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  world.azure.first_valid_token = 2;
  EXPECT_EQ(text_of(vault->recover("zkv-nas", {})), kShare);
  world.azure.first_valid_token = 100;
  const Error error = error_of(vault->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_EQ(world.azure.tokens_given, 3);
}

TEST(AzureVault, ADisabledSecretIsNotGiven) {
  AzureWorld world;
  world.azure.secret_answers = {
      answer(403, R"({"error":{"code":"Forbidden","innererror":{"code":"SecretDisabled"}}})")};
  const Error error = error_of(world.vault()->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.message(), HasSubstr("is disabled"));
}

TEST(AzureVault, ASecretThatSaysItIsDisabledIsNotGivenEitherIfAzureSendsIt) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare, R"("enabled":false)");
  EXPECT_THAT(error_of(world.vault()->recover("zkv-nas", {})).message(), HasSubstr("is disabled"));
}

TEST(AzureVault, ASecretBeforeItsTimeIsNotGiven) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare, R"("enabled":true,"nbf":1800000010)");
  const auto vault = world.vault();
  const Error error = error_of(vault->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.message(), HasSubstr("not valid before 2027-01-15T08:00:10.000Z"));
  world.time.at = kStart + seconds(10);
  EXPECT_EQ(text_of(vault->recover("zkv-nas", {})), kShare);
}

TEST(AzureVault, AnExpiredSecretIsNotGiven) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare, R"("enabled":true,"exp":1800000000)");
  const Error error = error_of(world.vault()->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.message(), HasSubstr("expired at"));
}

TEST(AzureVault, TellsWhenASecretWillExpire) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare, R"("enabled":true,"exp":1800000060)");
  world.azure.put("zkv-attic", kShare);
  const auto vault = world.vault();
  const auto ends = vault->look("zkv-nas", {});
  ASSERT_TRUE(ends) << ends.error().message();
  EXPECT_EQ(ends->expires, kStart + seconds(60));
  const auto lasts = vault->look("zkv-attic", {});
  ASSERT_TRUE(lasts) << lasts.error().message();
  EXPECT_FALSE(lasts->expires);
}

TEST(AzureVault, AMissingPermissionIsToldWithTheRoleThatHelps) {
  AzureWorld world;
  world.azure.secret_answers = {answer(403, R"({"error":{"code":"Forbidden","message":"…"}})")};
  const Error error = error_of(world.vault()->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.remedy(), HasSubstr("Key Vault Secrets User"));
}

TEST(AzureVault, AnExpiredClientSecretIsToldAsThat) {
  AzureWorld world;
  world.azure.token_answers = {answer(
      401,
      R"({"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys"})")};
  const Error error = error_of(world.vault()->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.remedy(), HasSubstr("has expired"));
  EXPECT_THAT(error.message(), Not(HasSubstr("s3cret")));
}

TEST(AzureVault, WaitsWhenItIsAskedTooOften) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.secret_answers = {answer(429, "", "Retry-After: 5\r\n"), answer(500, ""), answer(503, "")};
  EXPECT_EQ(text_of(world.vault()->recover("zkv-nas", {})), kShare);
  EXPECT_THAT(world.time.waits, ElementsAre(seconds(5), seconds(2), seconds(4)));
}

TEST(AzureVault, GivesUpWithinItsTimeLimit) {
  AzureWorld world;
  world.azure.secret_answers = std::vector<RawAnswer>(6, answer(503, "", "Retry-After: 40\r\n"));
  const Error error = error_of(world.vault()->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_LE(world.time.at, kStart + seconds(90));
}

TEST(AzureVault, AnAnswerCutOffInItsMiddleIsAskedForAgain) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.secret_answers = {
      {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"value\":\"cw_0x6", .then_close = true}};
  EXPECT_EQ(text_of(world.vault()->recover("zkv-nas", {})), kShare);
}

TEST(AzureVault, AnAnswerThatIsNotJsonGivesNothing) {
  AzureWorld world;
  world.azure.secret_answers = {answer(200, R"({"value":"half)"), answer(200, "[]"),
                                answer(200, R"({"value":7})")};
  const auto vault = world.vault();
  EXPECT_EQ(error_of(vault->recover("zkv-nas", {})).kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error_of(vault->recover("zkv-nas", {})).kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error_of(vault->recover("zkv-nas", {})).kind(), ErrorKind::kUnavailable);
}

TEST(AzureVault, ATokenAnswerWithoutATokenGivesNothing) {
  AzureWorld world;
  world.azure.token_answers = {answer(200, R"({"expires_in":3600})")};
  EXPECT_EQ(error_of(world.vault()->recover("zkv-nas", {})).kind(), ErrorKind::kUnavailable);
}

TEST(AzureVault, ARedirectDoesNotCarryTheTokenAway) {
  AzureWorld world;
  const HttpServer thief([](const ReceivedRequest&) { return answer(200, R"({"value":"forged"})"); });
  world.azure.secret_answers = {answer(302, "", "Location: " + thief.url() + "\r\n")};
  EXPECT_FALSE(world.vault()->recover("zkv-nas", {}));
  EXPECT_TRUE(thief.requests().empty());
}

TEST(AzureVault, StopEndsIt) {
  AzureWorld world;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of(world.vault()->recover("zkv-nas", stop.get_token())).kind(), ErrorKind::kInterrupted);
}

SecretBytes share() { return SecretBytes::copy_of(kShare); }

TEST(AzureVault, DepositsAsDocumented) {
  AzureWorld world;
  ASSERT_TRUE(world.vault()->deposit("zkv-nas", share(), {}));
  const auto request = world.azure.server.requests().back();
  EXPECT_EQ(request.line(), "PUT /secrets/zkv-nas?api-version=7.4 HTTP/1.1");
  EXPECT_THAT(request.head, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_EQ(request.body, std::string(R"({"value":")") + kShare + R"("})");
}

TEST(AzureVault, DestroysByDeletingLookingAndPurging) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  ASSERT_TRUE(world.vault()->destroy("zkv-nas", {}));
  EXPECT_THAT(world.azure.lines(), ElementsAre("DELETE /secrets/zkv-nas", "GET /deletedsecrets/zkv-nas",
                                               "DELETE /deletedsecrets/zkv-nas"));
  EXPECT_FALSE(world.azure.has_deleted("zkv-nas"));
}

TEST(AzureVault, WaitsUntilTheDeletionIsDone) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.busy_answers = 5;
  ASSERT_TRUE(world.vault()->destroy("zkv-nas", {}));
  EXPECT_THAT(world.time.waits, ::testing::SizeIs(5));
  EXPECT_THAT(world.time.waits, ::testing::Each(seconds(2)));
  EXPECT_FALSE(world.azure.has_deleted("zkv-nas"));
}

TEST(AzureVault, WhoMayNotLookAtDeletedSecretsPurgesAllTheSame) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.may_look = false;
  world.azure.busy_answers = 2;
  ASSERT_TRUE(world.vault()->destroy("zkv-nas", {}));
  EXPECT_THAT(world.time.waits, ElementsAre(seconds(2), seconds(2)));
  EXPECT_FALSE(world.azure.has_deleted("zkv-nas"));
}

TEST(AzureVault, ADeletionThatLastsTooLongIsSaidToBeHalfDoneAndTakenUpLater) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.busy_answers = 1000;
  const Error error = error_of(world.vault()->destroy("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("is deleted, but was not purged"));
  EXPECT_LE(world.time.at, kStart + seconds(90));
  world.azure.busy_answers = 2;
  ASSERT_TRUE(world.vault()->destroy("zkv-nas", {}));
  EXPECT_FALSE(world.azure.has_deleted("zkv-nas"));
}

TEST(AzureVault, AVaultWithPurgeProtectionIsToldApartEachTime) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.is_protected = true;
  const auto vault = world.vault();
  const Error error = error_of(vault->destroy("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.message(),
              HasSubstr("is deleted, but can be brought back until 2027-04-15T08:00:00.000Z"));
  EXPECT_FALSE(error.remedy().empty());
  EXPECT_EQ(error_of(vault->recover("zkv-nas", {})).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error_of(vault->destroy("zkv-nas", {})).kind(), ErrorKind::kUnsupported);
}

TEST(AzureVault, PurgeProtectionIsToldApartWithoutLookingAtDeletedSecretsToo) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.is_protected = true;
  world.azure.may_look = false;
  EXPECT_EQ(error_of(world.vault()->destroy("zkv-nas", {})).kind(), ErrorKind::kUnsupported);
}

RawAnswer forbidden_answer() { return answer(403, R"({"error":{"code":"Forbidden","message":"…"}})"); }

TEST(AzureVault, APermissionThatIsMissingForStoringIsNamed) {
  AzureWorld world;
  world.azure.secret_answers = {forbidden_answer()};
  const Error error = error_of(world.vault()->deposit("zkv-nas", share(), {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.message(), HasSubstr("may not be stored by the application client"));
  EXPECT_THAT(error.remedy(), HasSubstr("Set on secrets"));
}

TEST(AzureVault, APermissionThatIsMissingForDeletingIsNamed) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.secret_answers = {forbidden_answer()};
  const Error error = error_of(world.vault()->destroy("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.message(), Not(HasSubstr("is deleted")));
  EXPECT_THAT(error.remedy(), HasSubstr("Delete on secrets"));
  EXPECT_TRUE(world.azure.has("zkv-nas"));
}

TEST(AzureVault, APermissionThatIsMissingForPurgingIsNamedWithWhatWasDone) {
  AzureWorld world;
  const char* deleted =
      R"({"recoveryId":"y","scheduledPurgeDate":1,"attributes":{"recoveryLevel":"Recoverable+Purgeable"}})";
  world.azure.secret_answers = {answer(200, deleted), answer(200, deleted), forbidden_answer()};
  const Error error = error_of(world.vault()->destroy("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.message(), HasSubstr("is deleted, but may not be purged"));
  EXPECT_THAT(error.remedy(), HasSubstr("Purge on secrets"));
}

TEST(AzureVault, ANameThatADeletedSecretHoldsIsToldAtOnce) {
  AzureWorld world;
  world.azure.secret_answers = {
      answer(409, R"({"error":{"code":"Conflict","innererror":{"code":"ObjectIsDeletedButRecoverable"}}})")};
  const Error error = error_of(world.vault()->deposit("zkv-nas", share(), {}));
  EXPECT_EQ(error.kind(), ErrorKind::kExists);
  EXPECT_THAT(error.remedy(), HasSubstr("purge it"));
  EXPECT_TRUE(world.time.waits.empty());
}

RawAnswer busy_answer() {
  return answer(409, R"({"error":{"code":"Conflict","innererror":{"code":"ObjectIsBeingDeleted"}}})");
}

TEST(AzureVault, ANameThatIsJustBeingPurgedIsWaitedFor) {
  AzureWorld world;
  world.azure.secret_answers = {busy_answer(), busy_answer()};
  EXPECT_TRUE(world.vault()->deposit("zkv-nas", share(), {}));
  EXPECT_THAT(world.time.waits, ElementsAre(seconds(2), seconds(2)));
}

TEST(AzureVault, ANameThatStaysBusyIsGivenUpWithinTheTimeLimit) {
  AzureWorld world;
  world.azure.secret_answers = std::vector<RawAnswer>(100, busy_answer());
  const Error error = error_of(world.vault()->deposit("zkv-nas", share(), {}));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("409 ObjectIsBeingDeleted"));
  EXPECT_LE(world.time.at, kStart + seconds(90));
}

TEST(AzureVault, DepositsAgainAfterWhatPasses) {
  AzureWorld world;
  world.azure.secret_answers = {
      answer(429, "", "Retry-After: 5\r\n"),
      answer(500, ""),
      {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", .then_close = true}};
  ASSERT_TRUE(world.vault()->deposit("zkv-nas", share(), {}));
  EXPECT_THAT(world.time.waits, ElementsAre(seconds(5), seconds(2), seconds(4)));
  EXPECT_EQ(text_of(world.vault()->recover("zkv-nas", {})), kShare);
}

TEST(AzureVault, DestroysAgainAfterWhatPasses) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.secret_answers = {answer(503, "", "Retry-After: 3\r\n"),
                                {.bytes = "HTTP/1.1 200", .then_close = true}};
  ASSERT_TRUE(world.vault()->destroy("zkv-nas", {}));
  EXPECT_FALSE(world.azure.has("zkv-nas") || world.azure.has_deleted("zkv-nas"));
}

TEST(AzureVault, ADeletionWhoseAnswerWasLostIsStillPurged) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  ASSERT_TRUE(world.vault()->destroy("zkv-nas", {}));
  world.azure.put("zkv-nas", kShare);
  world.azure.busy_answers = 2;
  world.azure.lose_next_answer_to = "DELETE /secrets/";
  ASSERT_TRUE(world.vault()->destroy("zkv-nas", {}));
  EXPECT_FALSE(world.azure.has_deleted("zkv-nas"));
}

TEST(AzureVault, APurgeWhoseAnswerWasLostSucceeds) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.lose_next_answer_to = "DELETE /deletedsecrets/";
  EXPECT_TRUE(world.vault()->destroy("zkv-nas", {}));
  EXPECT_FALSE(world.azure.has_deleted("zkv-nas"));
}

TEST(AzureVault, AnOldTokenIsRenewedForDepositingAndDestroyingToo) {
  AzureWorld world;
  const auto vault = world.vault();
  ASSERT_TRUE(vault->deposit("zkv-nas", share(), {}));
  world.azure.first_valid_token = 2;
  ASSERT_TRUE(vault->deposit("zkv-nas", share(), {}));
  world.azure.first_valid_token = 3;
  ASSERT_TRUE(vault->destroy("zkv-nas", {}));
  EXPECT_EQ(world.azure.tokens_given, 3);
  world.azure.first_valid_token = 100;
  EXPECT_EQ(error_of(vault->destroy("zkv-nas", {})).kind(), ErrorKind::kDenied);
  EXPECT_EQ(error_of(vault->deposit("zkv-nas", share(), {})).kind(), ErrorKind::kDenied);
}

TEST(AzureVault, AnswersThatAreNoVaultsAreNoSuccess) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.secret_answers = {answer(200, "<html>"), answer(200, R"({"value":"another"})"), answer(204, ""),
                                answer(200, "<html>")};
  const auto vault = world.vault();
  EXPECT_EQ(error_of(vault->deposit("zkv-nas", share(), {})).kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error_of(vault->deposit("zkv-nas", share(), {})).kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error_of(vault->deposit("zkv-nas", share(), {})).kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error_of(vault->destroy("zkv-nas", {})).kind(), ErrorKind::kUnavailable);
  EXPECT_TRUE(world.azure.has("zkv-nas"));
}

TEST(AzureVault, ANotFoundOfSomeOtherServerIsNotTakenForGone) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.secret_answers = std::vector<RawAnswer>(10, answer(404, "<html>Not Found</html>"));
  const Error error = error_of(world.vault()->destroy("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("was not deleted: status 404"));
}

TEST(AzureVault, ASecretIsNotShownByAnyRefusalOfIt) {
  AzureWorld world;
  const auto vault = world.vault();
  const std::string echo =
      std::string(R"({"error":{"message":")") + kShare + R"(","code":"x"},"value":")" + kShare + "\"}";
  for (const int status : {200, 302, 400, 401, 403, 404, 409, 413, 429, 500}) {
    world.azure.secret_answers =
        std::vector<RawAnswer>(100, answer(status, status == 200 ? "\"" + echo : echo));
    const Error error = error_of(vault->deposit("zkv-nas", share(), {}));
    EXPECT_THAT(error.message() + error.remedy(), Not(HasSubstr(kShare))) << status;
    EXPECT_NE(error.kind(), ErrorKind::kInternal) << status;
  }
}

TEST(AzureVault, StopEndsDepositingAndDestroying) {
  AzureWorld world;
  std::stop_source stop;
  stop.request_stop();
  const auto vault = world.vault();
  EXPECT_EQ(error_of(vault->deposit("zkv-nas", share(), stop.get_token())).kind(), ErrorKind::kInterrupted);
  EXPECT_EQ(error_of(vault->destroy("zkv-nas", stop.get_token())).kind(), ErrorKind::kInterrupted);
}

TEST(AzureVault, StopEndsTheWaitForADeletion) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.busy_answers = 1000;
  std::stop_source stop;
  const auto vault = make_azure_vault(world.options()).value();
  std::jthread stopper([&] {
    world.azure.server.await_requests(3);
    stop.request_stop();
  });
  EXPECT_EQ(error_of(vault->destroy("zkv-nas", stop.get_token())).kind(), ErrorKind::kInterrupted);
}

class StrangeVault : public ::testing::TestWithParam<const char*> {};

TEST_P(StrangeVault, GetsNoToken) {
  const AzureWorld world;
  AzureOptions options = world.options();
  options.vault_uri = GetParam();
  const auto vault = make_azure_vault(std::move(options));
  ASSERT_FALSE(vault);
  EXPECT_EQ(vault.error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(vault.error().message(), HasSubstr("KEY_VAULT_URI"));
}

INSTANTIATE_TEST_SUITE_P(
    Addresses, StrangeVault,
    ::testing::Values("https://kv.vault.azure.net.evil.example", "https://evilvault.azure.net",
                      "https://kv.vault.azure.net@evil.example", "http://kv.vault.azure.net",
                      "https://evil.example/kv.vault.azure.net", "kv.vault.azure.net", ""));

TEST(AzureVault, TakesTheVaultsOfItsResource) {
  const AzureWorld world;
  AzureOptions options = world.options();
  options.vault_uri = "https://KV.vault.azure.net/";
  EXPECT_TRUE(make_azure_vault(std::move(options)));
}

TEST(AzureVault, AMissingSettingIsNamed) {
  const AzureWorld world;
  AzureOptions options = world.options();
  options.client_secret = {};
  EXPECT_THAT(make_azure_vault(std::move(options)).error().message(), HasSubstr("AAD_CLIENT_SECRET"));
}

}  // namespace
}  // namespace zkv::gateway
