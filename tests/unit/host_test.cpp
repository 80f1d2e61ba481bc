// The host's own rules: what answers mean, how long to wait, addresses, signals, and the record of unlocks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <condition_variable>
#include <csignal>

#include <fstream>
#include <mutex>

#include "gateway_answers.h"
#include "host/answer.h"
#include "host/backoff.h"
#include "host/gateway_client.h"
#include "host/narrator.h"
#include "host/stop_on_signal.h"
#include "host/unlock_record.h"
#include "test_certificate.h"

namespace zkv::host {
namespace {

using namespace std::chrono_literals;
using test::kKey;
using test::response;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::IsEmpty;

// --- what a person is told ---

TEST(Narrator, TellsInPlainTextWhateverAGatewaySaid) {
  std::vector<std::string> lines;
  const std::function<void(const std::string&)> say = [&](const std::string& line) { lines.push_back(line); };
  Narrator narrator("https://gw.example", say);
  narrator.trouble("holds the name x\nREADY=1\x1b[2J");
  EXPECT_THAT(lines, ElementsAre("holds the name x?READY=1?[2J at https://gw.example; trying again"));
}

TEST(Narrator, SaysWhenTheNextTryIsWhereThatIsLong) {
  std::vector<std::string> lines;
  const std::function<void(const std::string&)> say = [&](const std::string& line) { lines.push_back(line); };
  Narrator narrator("https://gw.example", say);
  narrator.trouble("nobody decided", 15min);
  EXPECT_THAT(lines, ElementsAre("nobody decided at https://gw.example; trying again in 15 min"));
}

// --- what an answer means ---

std::string key_of(std::string_view body) {
  auto meaning = interpret(response(200, body), {});
  const auto* given = std::get_if<KeyGiven>(&meaning);
  return given == nullptr ? "no key" : std::string(given->key.view());
}

ErrorKind end_of(net::HttpResponse&& of) {
  return std::get<Ended>(interpret(std::move(of), {})).error.kind();
}

TEST(Answer, TheBodyOf200IsTheKeyWithoutTheNewlineAfterIt) {
  EXPECT_EQ(key_of(kKey), kKey);
  EXPECT_EQ(key_of(kKey + "\n"), kKey);
  EXPECT_EQ(key_of(kKey + "\r\n"), kKey);
  EXPECT_EQ(key_of(" with blanks "), " with blanks ");
}

TEST(Answer, WhatCannotBeAKeyIsRefused) {
  EXPECT_EQ(end_of(response(200, "")), ErrorKind::kCorrupt);
  EXPECT_EQ(end_of(response(200, "\n")), ErrorKind::kCorrupt);
  EXPECT_EQ(end_of(response(200, std::string(4097, 'x'))), ErrorKind::kCorrupt);
  EXPECT_EQ(end_of(response(200, "<html>\n<body>Please log in</body>")), ErrorKind::kCorrupt);
  EXPECT_EQ(end_of(response(200, "\x1b]0;owned\x07")), ErrorKind::kCorrupt);
  EXPECT_EQ(end_of(response(200, std::string_view("a\0b", 3))), ErrorKind::kCorrupt);
}

TEST(Answer, DeniedExpiredAndAServerThatDoesNotSayAreToldApart) {
  EXPECT_EQ(end_of(response(401, "", "denied")), ErrorKind::kDenied);
  EXPECT_EQ(end_of(response(401, "", "cancelled")), ErrorKind::kDenied);
  EXPECT_EQ(end_of(response(401, "", "expired")), ErrorKind::kPending);
  EXPECT_EQ(end_of(response(401, "")), ErrorKind::kPending);
}

TEST(Answer, ABusyOrRestartingGatewayIsAskedAgainWhenItSays) {
  EXPECT_EQ(std::get<TryAgain>(interpret(response(429, "", "", "1"), {})).wait, 1s);
  EXPECT_EQ(std::get<TryAgain>(interpret(response(503, "", "", "7"), {})).wait, 7s);
  EXPECT_EQ(std::get<TryAgain>(interpret(response(502, ""), {})).wait, std::nullopt);
  EXPECT_EQ(std::get<TryAgain>(interpret(response(504, "", "", "soon"), {})).wait, std::nullopt);
}

TEST(Answer, AFailedVaultIsAskedAgainOnlyWhereTheApprovalStillCounts) {
  EXPECT_TRUE(std::holds_alternative<TryAgain>(interpret(response(500, "", "failed"), {})));
  EXPECT_EQ(end_of(response(500, "")), ErrorKind::kUnavailable);
}

TEST(Answer, AWrongAddressIsNotAskedForEver) {
  EXPECT_EQ(end_of(response(404, "")), ErrorKind::kUnavailable);
  EXPECT_EQ(end_of(response(403, "")), ErrorKind::kUnavailable);
  EXPECT_EQ(end_of(response(302, "")), ErrorKind::kUnavailable);
  EXPECT_EQ(end_of(response(204, "")), ErrorKind::kUnavailable);
}

TEST(Answer, ARequestIdThatCouldMoveTheCursorIsNotShown) {
  net::HttpResponse made;
  made.headers.emplace_back("zkv-request-id", "7F3K-1");
  EXPECT_EQ(request_id(made), "7F3K-1");
  made.headers.front().second = "7F\x1b[2J";
  EXPECT_EQ(request_id(made), "");
}

// --- back-off ---

TEST(Backoff, TheBoundDoublesUpToItsMost) {
  std::vector<std::uint32_t> bounds;
  Backoff backoff({.first = 500ms, .most = 3000ms}, [&](std::uint32_t bound) {
    bounds.push_back(bound);
    return bound - 1;
  });
  for (const auto wait : {500ms, 1000ms, 2000ms, 3000ms, 3000ms}) EXPECT_EQ(backoff.next(), wait);
  EXPECT_THAT(bounds, ElementsAre(501, 1001, 2001, 3001, 3001));
}

TEST(Backoff, TheWaitIsAnywhereBelowTheBound) {
  Backoff backoff({}, [](std::uint32_t) { return 0U; });
  EXPECT_EQ(backoff.next(), 0ms);
}

// --- addresses ---

TEST(RequestAddress, OnlyAnAddressWithoutAPathGetsOne) {
  EXPECT_EQ(request_address("https://gateway.example").value(), "https://gateway.example/request-keys");
  EXPECT_EQ(request_address("https://gateway.example:8443/").value(),
            "https://gateway.example:8443/request-keys");
  EXPECT_EQ(request_address("https://gateway.example/zkv/request-keys").value(),
            "https://gateway.example/zkv/request-keys");
  EXPECT_EQ(request_address("https://gateway.example/?x=1").value(), "https://gateway.example/?x=1");
  EXPECT_EQ(request_address("ftp://gateway.example").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(request_address("nonsense").error().kind(), ErrorKind::kInvalid);
}

TEST(Token, Has43CharactersAndIsNeverTheSame) {
  const auto one = make_token();
  const auto other = make_token();
  EXPECT_EQ(one.size(), 43U);
  EXPECT_FALSE(equal_in_constant_time(one.span(), other.span()));
}

// --- signals ---

/// Blocks until a stop is requested.
void await_stop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait(lock, stop, [] { return false; });
}

TEST(StopOnSignal, ASignalRequestsAStopAndEndsNothing) {
  for (const int number : {SIGTERM, SIGHUP}) {
    const StopOnSignal signals;
    EXPECT_EQ(signals.signal(), 0);
    ::kill(::getpid(), number);
    await_stop(signals.token());
    EXPECT_EQ(signals.signal(), number);
  }
}

TEST(StopOnSignal, WhoIsToOutliveItsTerminalIsNotStoppedByItsEnd) {
  const auto before = ::signal(SIGHUP, SIG_IGN);
  {
    const StopOnSignal signals;
    ::kill(::getpid(), SIGHUP);
    ::kill(::getpid(), SIGTERM);
    await_stop(signals.token());
    EXPECT_EQ(signals.signal(), SIGTERM);
  }
  ::signal(SIGHUP, before);
}

TEST(StopOnSignalDeathTest, ASecondSignalEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const StopOnSignal signals;
        ::kill(::getpid(), SIGINT);
        await_stop(signals.token());
        ::kill(::getpid(), SIGINT);
        ::pause();
      },
      testing::KilledBySignal(SIGINT), "");
}

// --- the record ---

Tried outcome(const std::string& name, unlock::Happened what, repository::VolumeSettings settings = {}) {
  return {{name, what, {}, {}, {}}, std::move(settings)};
}

TEST(UnlockRecord, KeepsTheLastUnlockThroughLaterFailures) {
  const TemporaryDirectory directory;
  const auto path = directory / "made/last-unlock.json";
  const Time first{1000ms};
  const Time second{2000ms};
  ASSERT_TRUE(enter_into_record(path, "zfs", {outcome("tank/a", unlock::Happened::kOpened)}, first));
  ASSERT_TRUE(enter_into_record(path, "zfs", {outcome("tank/b", unlock::Happened::kOpened)}, second));
  ASSERT_TRUE(enter_into_record(path, "zfs", {outcome("tank/a", unlock::Happened::kWrongKey)}, second));
  const auto record = read_record(path);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->size(), 2U);
  EXPECT_EQ(record->at("tank/a").opened, first);
  EXPECT_EQ(record->at("tank/a").tried, second);
  EXPECT_EQ(record->at("tank/a").result, "wrong-key");
  EXPECT_EQ(record->at("tank/a").kind, "zfs");
}

TEST(UnlockRecord, KeepsTheSettingsThatClosingNeeds) {
  const TemporaryDirectory directory;
  const auto path = directory / "last-unlock.json";
  const repository::VolumeSettings settings{"/srv/.photos", "/srv/photos", "ro",
                                            "/usr/lib/zkv/loaders/gocryptfs"};
  ASSERT_TRUE(enter_into_record(path, "command", {outcome("photos", unlock::Happened::kOpened, settings)},
                                Time{1ms}));
  EXPECT_EQ(read_record(path)->at("photos").settings, settings);
}

TEST(UnlockRecord, KeepsWhatWasNotMountedUntilItIs) {
  const TemporaryDirectory directory;
  const auto path = directory / "last-unlock.json";
  auto tried = outcome("data", unlock::Happened::kOpened);
  tried.unmounted = {{"/srv", "mount: wrong fs type"}};
  ASSERT_TRUE(enter_into_record(path, "luks", {tried}, Time{1ms}));
  EXPECT_EQ(read_record(path)->at("data").unmounted, tried.unmounted);
  ASSERT_TRUE(enter_into_record(path, "luks", {outcome("data", unlock::Happened::kAlreadyOpen)}, Time{2ms}));
  EXPECT_THAT(read_record(path)->at("data").unmounted, IsEmpty());
}

TEST(UnlockRecord, NoFileIsAnEmptyRecord) {
  const TemporaryDirectory directory;
  EXPECT_THAT(read_record(directory / "none").value(), IsEmpty());
}

TEST(UnlockRecord, ABrokenFileIsSaidToBeSoAndReplacedByTheNextUnlock) {
  const TemporaryDirectory directory;
  const auto path = directory / "last-unlock.json";
  for (const auto* text : {"{", "[]", "{\"volumes\":[]}"}) {
    std::ofstream(path) << text;
    EXPECT_EQ(read_record(path).error().kind(), ErrorKind::kCorrupt);
  }
  ASSERT_TRUE(enter_into_record(path, "zfs", {outcome("tank/a", unlock::Happened::kOpened)}, Time{1ms}));
  EXPECT_EQ(read_record(path)->size(), 1U);
}

TEST(UnlockRecord, ForgetsWhatIsNotInTheRepositoryAnyMore) {
  const TemporaryDirectory directory;
  const auto path = directory / "last-unlock.json";
  repository::VolumeKeys keys;
  EXPECT_TRUE(leave_in_record(path, keys));
  EXPECT_FALSE(fs::exists(path));
  for (const auto* name : {"tank/a", "tank/b"}) {
    ASSERT_TRUE(enter_into_record(path, "zfs", {outcome(name, unlock::Happened::kOpened)}, Time{1ms}));
  }
  ASSERT_TRUE(keys.add("tank/b", repository::VolumeKind::kZfs, bytes_of("a key")));
  ASSERT_TRUE(leave_in_record(path, keys));
  EXPECT_THAT(read_record(path).value(), ElementsAre(testing::Key("tank/b")));
}

TEST(UnlockRecord, FollowsVolumesToTheirNewNames) {
  const TemporaryDirectory directory;
  const auto path = directory / "last-unlock.json";
  repository::VolumeKeys keys;
  for (const auto* name : {"vault", "vault/a"}) {
    ASSERT_TRUE(keys.add(name, repository::VolumeKind::kZfs, bytes_of("a key")));
  }
  ASSERT_TRUE(enter_into_record(path, "zfs", {outcome("tank", unlock::Happened::kOpened)}, Time{1ms}));
  ASSERT_TRUE(enter_into_record(path, "zfs", {outcome("tank/gone", unlock::Happened::kOpened)}, Time{1ms}));
  ASSERT_TRUE(leave_in_record(path, keys, {{"tank", "vault"}, {"tank/a", "vault/a"}}));
  const auto record = read_record(path).value();
  EXPECT_THAT(record, ElementsAre(testing::Key("vault")));
  EXPECT_EQ(record.at("vault").opened, Time{1ms});
}

TEST(UnlockRecord, APlaceThatCannotBeWrittenIsAnError) {
  EXPECT_EQ(enter_into_record("/proc/zkv/last-unlock.json", "zfs", {}, {}).error().kind(), ErrorKind::kIo);
}

}  // namespace
}  // namespace zkv::host
