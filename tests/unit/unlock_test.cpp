// Looking at and opening ZFS volumes, against stand-ins for zfs(8) and libzfs_core.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>

#include "base/encoding.h"
#include "fake_zfs.h"
#include "unlock/preparation.h"
#include "unlock_world.h"

namespace zkv::unlock {
namespace {

using test::FakeZfs;
using test::happened;
using test::kHexA;
using test::kHexB;
using test::kPassphraseKey;
using test::kRaw;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kHexC(64, 'c');

Unlocker::Volume volume(const std::string& name, std::string_view key) {
  Unlocker::Volume made;
  made.name = name;
  made.key = bytes_of(key);
  return made;
}

std::vector<Outcome> open(const ZfsOptions& options, const std::vector<Unlocker::Volume>& volumes,
                          Attempt attempt = Attempt::kOpen) {
  return make_zfs_unlocker(options)->open(volumes, attempt, {});
}

// --- opening ---

TEST(ZfsUnlocker, OpensEachVolumeWithItsKeyInBinaryForm) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/hex", kHexA);
  zfs.add_root("tank/raw", to_hex(bytes_of(kRaw)), {{"keyformat", "raw"}});
  zfs.add_root("tank/words", kPassphraseKey,
               {{"keyformat", "passphrase"}, {"pbkdf2iters", "100000"}, {"pbkdf2salt", "81985529216486895"}});

  const auto outcomes = open(zfs.options(), {volume("tank/hex", kHexA), volume("tank/raw", kRaw),
                                             volume("tank/words", "correct horse")});

  EXPECT_THAT(outcomes,
              ElementsAre(happened("tank/hex", Happened::kOpened), happened("tank/raw", Happened::kOpened),
                          happened("tank/words", Happened::kOpened)));
  EXPECT_EQ(zfs.get("tank/words", "keystatus"), "available");
  EXPECT_THAT(zfs.calls_of("lzc_load_key"), SizeIs(3));
}

TEST(ZfsUnlocker, OpensTheSameVolumesThroughTheProgram) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/hex", kHexA);
  zfs.add_root("tank/raw", to_hex(bytes_of(kRaw)), {{"keyformat", "raw"}});
  zfs.add_root("tank/words", kPassphraseKey,
               {{"keyformat", "passphrase"}, {"pbkdf2iters", "100000"}, {"pbkdf2salt", "81985529216486895"}});

  const auto outcomes =
      open(zfs.options(Road::kProgram),
           {volume("tank/hex", kHexA), volume("tank/raw", kRaw), volume("tank/words", "correct horse")});

  EXPECT_THAT(outcomes,
              ElementsAre(happened("tank/hex", Happened::kOpened), happened("tank/raw", Happened::kOpened),
                          happened("tank/words", Happened::kOpened)));
  EXPECT_THAT(zfs.calls_of("lzc_load_key"), IsEmpty());
}

/// Who may change a key by `zfs allow` sets its number of iterations, too.
TEST(ZfsUnlocker, AnEndlessDerivationIsNotBegunAndHoldsUpNoOther) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/hex", kHexA);
  zfs.add_root(
      "tank/theirs", kPassphraseKey,
      {{"keyformat", "passphrase"}, {"pbkdf2iters", "2000000000"}, {"pbkdf2salt", "81985529216486895"}});
  for (const auto road : {Road::kLibrary, Road::kProgram}) {
    zfs.set("tank/hex", "keystatus", "unavailable");
    const auto outcomes =
        open(zfs.options(road), {volume("tank/hex", kHexA), volume("tank/theirs", "correct horse")});
    EXPECT_THAT(outcomes, ElementsAre(happened("tank/hex", Happened::kOpened),
                                      happened("tank/theirs", Happened::kFailed)));
    EXPECT_THAT(outcomes[1].detail, HasSubstr("pbkdf2iters is 2000000000"));
    EXPECT_THAT(outcomes[1].remedy, HasSubstr("zfs change-key -o pbkdf2iters=350000 tank/theirs"));
  }
  EXPECT_THAT(zfs.calls_of("zfs load-key"), SizeIs(1));
}

TEST(ZfsUnlocker, TheProgramSeesNoKeyOnItsCommandLineAndNoneOfOurEnvironment) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  ::setenv("SECRET_OF_OURS", "in the environment", 1);

  const auto outcomes = open(zfs.options(Road::kProgram), {volume("tank/a", kHexA)});

  EXPECT_THAT(outcomes, ElementsAre(happened("tank/a", Happened::kOpened)));
  EXPECT_THAT(zfs.calls(), Not(testing::Contains(HasSubstr(kHexA))));
  EXPECT_THAT(zfs.environments(), HasSubstr("'LC_ALL': 'C'"));
  EXPECT_THAT(zfs.environments(), Not(HasSubstr("SECRET_OF_OURS")));
}

TEST(ZfsUnlocker, APropertyThatNobodyUnderstandsStopsNoOtherAndCanBeClosed) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  zfs.add_root("tank/odd", kHexA, {{"canmount", "perhaps"}, {"keystatus", "available"}});

  const auto outcomes = open(zfs.options(), {volume("tank/a", kHexA), volume("tank/odd", kHexA)});

  EXPECT_THAT(outcomes,
              ElementsAre(happened("tank/a", Happened::kOpened), happened("tank/odd", Happened::kFailed)));
  EXPECT_THAT(outcomes[1].detail, HasSubstr("is not understood: tank/odd\tcanmount\tperhaps"));
  EXPECT_THAT(make_zfs_unlocker(zfs.options())->close({{"tank/odd"}}, {}),
              ElementsAre(happened("tank/odd", Happened::kClosed)));
}

TEST(ZfsUnlocker, OneWrongKeyStopsNoOther) {
  FakeZfs zfs;
  zfs.add("tank");
  for (const auto* name : {"tank/a", "tank/b", "tank/c"}) zfs.add_root(name, kHexA);
  const std::vector volumes{volume("tank/a", kHexA), volume("tank/b", kHexB), volume("tank/c", kHexA)};

  const auto outcomes = open(zfs.options(), volumes);

  EXPECT_THAT(outcomes,
              ElementsAre(happened("tank/a", Happened::kOpened), happened("tank/b", Happened::kWrongKey),
                          happened("tank/c", Happened::kOpened)));
  EXPECT_THAT(outcomes[1].detail, Not(HasSubstr(kHexB)));
  EXPECT_THAT(outcomes[1].remedy, HasSubstr("tank/b"));
  EXPECT_EQ(zfs.get("tank/b", "keystatus"), "unavailable");
}

TEST(ZfsUnlocker, OneWrongKeyStopsNoOtherThroughTheProgramEither) {
  FakeZfs zfs;
  zfs.add("tank");
  for (const auto* name : {"tank/a", "tank/b"}) zfs.add_root(name, kHexA);

  const auto outcomes = open(zfs.options(Road::kProgram), {volume("tank/a", kHexB), volume("tank/b", kHexA)});

  EXPECT_THAT(outcomes,
              ElementsAre(happened("tank/a", Happened::kWrongKey), happened("tank/b", Happened::kOpened)));
}

TEST(ZfsUnlocker, EveryOtherThingThatCanBeWrongIsToldApart) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  zfs.add_child("tank/a/child", "tank/a");
  zfs.add("tank/plain");
  const std::vector volumes{volume("tank/a", "not hex"), volume("tank/none", kHexA),
                            volume("lost/a", kHexA),     volume("tank/a/child", kHexA),
                            volume("tank/plain", kHexA), volume("-o", kHexA)};

  const auto outcomes = open(zfs.options(), volumes);

  EXPECT_THAT(
      outcomes,
      ElementsAre(happened("tank/a", Happened::kUnusableKey), happened("tank/none", Happened::kMissing),
                  happened("lost/a", Happened::kPoolMissing), happened("tank/a/child", Happened::kNotAVolume),
                  happened("tank/plain", Happened::kNotAVolume), happened("-o", Happened::kPoolMissing)));
  EXPECT_THAT(outcomes[2].remedy, HasSubstr("zpool import lost"));
  EXPECT_THAT(outcomes[3].detail, HasSubstr("tank/a"));
}

TEST(ZfsUnlocker, AVolumeThatIsOpenAlreadyIsLeftAlone) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}});
  EXPECT_THAT(open(zfs.options(), {volume("tank/a", kHexB)}),
              ElementsAre(happened("tank/a", Happened::kAlreadyOpen)));
  EXPECT_THAT(zfs.calls_of("lzc_load_key"), IsEmpty());
}

TEST(ZfsUnlocker, AKeyThatSomebodyElseLoadedMeanwhileIsSuccess) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA, {{"error-number", std::to_string(EEXIST)}});
  EXPECT_THAT(open(zfs.options(), {volume("tank/a", kHexA)}),
              ElementsAre(happened("tank/a", Happened::kAlreadyOpen)));
}

TEST(ZfsUnlocker, ATrialChecksTheKeyAlsoOfAnOpenVolumeAndChangesNothing) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  zfs.add_root("tank/b", kHexB, {{"keystatus", "available"}});
  const std::vector volumes{volume("tank/a", kHexA), volume("tank/b", kHexA)};

  EXPECT_THAT(open(zfs.options(), volumes, Attempt::kTrial),
              ElementsAre(happened("tank/a", Happened::kKeyFits), happened("tank/b", Happened::kWrongKey)));
  EXPECT_THAT(open(zfs.options(Road::kProgram), volumes, Attempt::kTrial),
              ElementsAre(happened("tank/a", Happened::kKeyFits), happened("tank/b", Happened::kWrongKey)));
  EXPECT_EQ(zfs.get("tank/a", "keystatus"), "unavailable");
}

TEST(ZfsUnlocker, KeysAreLoadedParentsFirst) {
  FakeZfs zfs;
  zfs.add("tank");
  for (const auto* name : {"tank/a", "tank/a/b", "tank/a/b/c"}) zfs.add_root(name, kHexA);
  (void)open(zfs.options(),
             {volume("tank/a/b/c", kHexA), volume("tank/a", kHexA), volume("tank/a/b", kHexA)});
  EXPECT_THAT(zfs.calls_of("lzc_load_key"),
              ElementsAre("lzc_load_key tank/a", "lzc_load_key tank/a/b", "lzc_load_key tank/a/b/c"));
}

TEST(ZfsUnlocker, AsksForAllPropertiesInOneCall) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  zfs.add_root("tank/b", kHexA);
  (void)open(zfs.options(), {volume("tank/a", kHexA), volume("tank/b", kHexA)});
  EXPECT_THAT(zfs.calls_of("zfs get"), SizeIs(1));
}

TEST(ZfsUnlocker, FallsBackToTheProgramWhereTheLibraryIsMissing) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  auto options = zfs.options();
  options.libraries = {"/nonexistent/libzfs_core.so"};
  EXPECT_THAT(open(options, {volume("tank/a", kHexA)}), ElementsAre(happened("tank/a", Happened::kOpened)));
  EXPECT_THAT(zfs.calls_of("zfs load-key"), SizeIs(1));
}

TEST(ZfsUnlocker, FallsBackToTheProgramWhereTheDeviceIsMissing) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  zfs.put("no-dev-zfs");
  EXPECT_THAT(open(zfs.options(), {volume("tank/a", kHexA)}),
              ElementsAre(happened("tank/a", Happened::kOpened)));
  EXPECT_THAT(zfs.calls_of("zfs load-key"), SizeIs(1));
}

TEST(ZfsUnlocker, ViaTheLibraryOnlyMeansNoOtherRoad) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  zfs.put("no-dev-zfs");
  const auto outcomes = open(zfs.options(Road::kLibrary), {volume("tank/a", kHexA)});
  EXPECT_THAT(outcomes, ElementsAre(happened("tank/a", Happened::kFailed)));
  EXPECT_THAT(outcomes[0].detail, HasSubstr("/dev/zfs"));
  EXPECT_EQ(zfs.get("tank/a", "keystatus"), "unavailable");
}

TEST(ZfsUnlocker, WithoutZfsEveryVolumeFailsAndSaysWhatToInstall) {
  FakeZfs zfs;
  auto options = zfs.options();
  options.program = "no-such-program-as-zfs";
  const auto outcomes = open(options, {volume("tank/a", kHexA)});
  EXPECT_THAT(outcomes, ElementsAre(happened("tank/a", Happened::kFailed)));
  EXPECT_THAT(outcomes[0].remedy, HasSubstr("zfsutils-linux"));
}

TEST(ZfsUnlocker, WithoutPermissionItSaysSo) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA, {{"error-number", std::to_string(EPERM)}});
  const auto outcomes = open(zfs.options(), {volume("tank/a", kHexA)});
  EXPECT_THAT(outcomes, ElementsAre(happened("tank/a", Happened::kFailed)));
  EXPECT_THAT(outcomes[0].remedy, HasSubstr("root"));
}

TEST(ZfsUnlocker, TheLibraryIsLoadedBesideOtherWorkWhereThereIsZfs) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  const test::TemporaryDirectory devices;
  auto options = zfs.options();
  options.devices = (devices / "zfs").parent_path();
  const auto is_loaded = [&] {
    const std::shared_ptr<void> library(
        ::dlopen(options.libraries.front().c_str(), RTLD_NOW | RTLD_NOLOAD),
        [](void* handle) { return handle == nullptr ? 0 : ::dlclose(handle); });
    return library != nullptr;
  };
  Preparation(options).await();
  EXPECT_FALSE(is_loaded());
  std::ofstream(devices / "zfs").flush();
  {
    Preparation preparation(options);
    preparation.await();
    EXPECT_TRUE(is_loaded());
    EXPECT_THAT(zfs.calls(), IsEmpty());
    EXPECT_THAT(open(options, {volume("tank/a", kHexA)}), ElementsAre(happened("tank/a", Happened::kOpened)));
  }
  EXPECT_FALSE(is_loaded());
}

TEST(ZfsUnlocker, ALibraryThatHangsIsGivenUpAfterItsTime) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  zfs.add_root("tank/b", kHexA, {{"hang", ""}});
  auto options = zfs.options();
  options.limit = std::chrono::seconds(10);  // zfs(8) itself must get by with it on a busy machine
  EXPECT_THAT(open(options, {volume("tank/a", kHexA), volume("tank/b", kHexA)}),
              ElementsAre(happened("tank/a", Happened::kOpened), happened("tank/b", Happened::kFailed)));
}

TEST(ZfsUnlocker, AProgramThatHangsIsGivenUpAfterItsTime) {
  FakeZfs zfs;
  zfs.put("hang");
  auto options = zfs.options();
  options.limit = std::chrono::milliseconds(500);
  const auto outcomes = open(options, {volume("tank/a", kHexA)});
  EXPECT_THAT(outcomes, ElementsAre(happened("tank/a", Happened::kFailed)));
  EXPECT_THAT(outcomes[0].detail, HasSubstr("in time"));
}

TEST(ZfsUnlocker, AnAnswerThatIsNotUnderstoodOpensNothing) {
  FakeZfs zfs;
  zfs.put("answer", "tank/a\tkeystatus\tmaybe\n");
  const auto outcomes = open(zfs.options(), {volume("tank/a", kHexA)});
  EXPECT_THAT(outcomes, ElementsAre(happened("tank/a", Happened::kFailed)));
  EXPECT_THAT(zfs.calls_of("lzc_load_key"), IsEmpty());
}

TEST(ZfsUnlocker, AfterAStopRequestNothingIsTried) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  std::stop_source stop;
  stop.request_stop();
  const std::vector volumes{volume("tank/a", kHexA)};
  EXPECT_THAT(make_zfs_unlocker(zfs.options())->open(volumes, Attempt::kOpen, stop.get_token()),
              ElementsAre(happened("tank/a", Happened::kInterrupted)));
  EXPECT_EQ(zfs.get("tank/a", "keystatus"), "unavailable");
}

// --- looking ---

TEST(ZfsUnlocker, InspectsInTheOrderOfTheNames) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mounted", "yes"}});
  const auto states = make_zfs_unlocker(zfs.options())->inspect({{"tank/none"}, {"tank/a"}});
  ASSERT_TRUE(states) << states.error().message();
  EXPECT_EQ((*states)[0].presence, Presence::kMissing);
  EXPECT_TRUE((*states)[1].is_open && (*states)[1].is_mounted);
  EXPECT_EQ((*states)[1].mountpoint, "/tank/a");
}

TEST(ZfsUnlocker, InspectingNothingAsksNothing) {
  FakeZfs zfs;
  const auto states = make_zfs_unlocker(zfs.options())->inspect({{"--help"}});
  ASSERT_TRUE(states);
  EXPECT_THAT(zfs.calls(), IsEmpty());
}

TEST(ZfsUnlocker, DiscoversEncryptionRootsAndNothingElse) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  zfs.add_child("tank/a/child", "tank/a");
  zfs.add_root("tank/disk", kHexA,
               {{"type", "volume"}, {"mountpoint", "-"}, {"canmount", "-"}, {"mounted", "-"}});
  const auto states = make_zfs_unlocker(zfs.options())->discover();
  ASSERT_TRUE(states) << states.error().message();
  EXPECT_THAT(*states,
              ElementsAre(Field(&VolumeState::name, "tank/a"), Field(&VolumeState::name, "tank/disk")));
}

}  // namespace
}  // namespace zkv::unlock
