// The dm-crypt kinds beside LUKS: what is asked of libcryptsetup, and that a plain volume is looked at before
// it gets its name. libcryptsetup and blkid(8) are played.
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <libcryptsetup.h>

#include "base/encoding.h"
#include "test_certificate.h"
#include "unlock/crypt.h"
#include "unlock/crypt_options.h"
#include "unlock/mappings.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using repository::VolumeKind;
using test::TemporaryDirectory;
using testing::HasSubstr;

constexpr auto kTrialFlags = CRYPT_ACTIVATE_READONLY | CRYPT_ACTIVATE_PRIVATE | CRYPT_ACTIVATE_SHARED;
constexpr std::string_view kShape = "cipher=aes-xts-plain64,size=256,hash=sha256";

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

class CryptKinds : public testing::Test {
 protected:
  CryptKinds() {
    fs::copy_file(ZKV_FAKE_CRYPTSETUP, directory_ / "cryptsetup.so");
    write(directory_ / "disk", "");
    write(directory_ / "mountinfo", "");
    write(directory_ / "dev/dm-0", "");
    fs::create_directories(directory_ / "dev/mapper");
    fs::create_directories(directory_ / "sys");
    on_it_is("ext4");
    options_.libraries = {directory_ / "cryptsetup.so"};
    options_.blkid = directory_ / "blkid";
    options_.devices = directory_ / "dev";
    options_.blocks = directory_ / "sys";
    options_.mount_table = directory_ / "mountinfo";
    options_.fstab = directory_ / "fstab";
  }

  /// What blkid(8) says is on a mapping, as long as the mapping is there.
  void on_it_is(const std::string& type) const {
    const auto calls = (directory_ / "calls").string();
    write(directory_ / "blkid", "#!/bin/sh\necho blkid >>" + calls + "\n" +
                                    (type.empty() ? std::string("exit 2") : "echo " + type) + "\n");
    fs::permissions(directory_ / "blkid", fs::perms::owner_all);
  }

  [[nodiscard]] Outcome open(Unlocker& unlocker, const std::string& words, Attempt attempt = Attempt::kOpen,
                             const std::string& key = "key") const {
    const auto bytes = bytes_of(key);
    const auto disk = fs::canonical(directory_ / "disk").string();
    const Unlocker::Volume volume{"data", unlocker.kind(), bytes, {}, {disk, {}, words}};
    return unlocker.open(std::span(&volume, 1), attempt, {}).front();
  }

  [[nodiscard]] std::string calls() const {
    std::ifstream file(directory_ / "calls");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void mapping(const std::string& node, const std::string& name, const std::string& uuid,
               const std::string& below) const {
    write(directory_ / "sys" / node / "dm/name", name + "\n");
    write(directory_ / "sys" / node / "dm/uuid", uuid + "\n");
    fs::create_directories(directory_ / "sys" / node / "slaves" / below);
  }

  TemporaryDirectory directory_;
  CryptOptions options_;
};

const std::string kShapeTold = "shape aes xts-plain64 32 sha256 0 0 512\n";
const std::string kTrialTold = kShapeTold + "PLAIN passphrase zkv-trial " + std::to_string(kTrialFlags) +
                               " key\nclose zkv-trial " + std::to_string(CRYPT_DEACTIVATE_DEFERRED) +
                               "\nblkid\nclose zkv-trial " +
                               std::to_string(CRYPT_DEACTIVATE_DEFERRED_CANCEL) + "\nclose zkv-trial 0\n";

/// As at the prompt of a boot that gave the key to nobody.
TEST_F(CryptKinds, WhatSomebodyElseHasOpenedCountsAsOpenOnlyUnderAHeaderThatProtects) {
  const auto luks = make_luks_unlocker(options_);
  write(directory_ / "sys/loop3/loop/backing_file", fs::canonical(directory_ / "disk").string() + "\n");
  mapping("dm-0", "data", "CRYPT-LUKS2-12-data", "loop3");
  EXPECT_EQ(open(*luks, "").happened, Happened::kAlreadyOpen);
  write(directory_ / "null-cipher", "");
  const auto outcome = open(*luks, "");
  EXPECT_EQ(outcome.happened, Happened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("somebody else has opened it"));
  EXPECT_THAT(outcome.detail, HasSubstr("protects nothing"));
}

TEST_F(CryptKinds, APlainVolumeIsLookedAtBeforeItGetsItsName) {
  const auto plain = make_plain_unlocker(options_);
  EXPECT_EQ(open(*plain, std::string(kShape)).happened, Happened::kOpened);
  EXPECT_EQ(calls(), kTrialTold + kShapeTold + "PLAIN passphrase data 0 key\nblkid\n");
}

TEST_F(CryptKinds, APlainVolumeOnWhichThereIsNothingKnownIsNotOpened) {
  on_it_is("");
  const auto plain = make_plain_unlocker(options_);
  const auto outcome = open(*plain, std::string(kShape));
  EXPECT_EQ(outcome.happened, Happened::kWrongKey);
  EXPECT_THAT(outcome.detail, HasSubstr("nothing that blkid knows"));
  EXPECT_EQ(calls(), kTrialTold);
  EXPECT_TRUE(fs::is_empty(directory_ / "dev/mapper"));
}

TEST_F(CryptKinds, APlainVolumeOnWhichThereIsSomethingElseIsNotOpened) {
  const auto plain = make_plain_unlocker(options_);
  const auto outcome = open(*plain, std::string(kShape) + ",checkargs=xfs");
  EXPECT_EQ(outcome.happened, Happened::kWrongKey);
  EXPECT_THAT(outcome.detail, HasSubstr("there is ext4 on it, not xfs"));
  EXPECT_EQ(calls(), kTrialTold);
  EXPECT_EQ(open(*plain, std::string(kShape) + ",checkargs=ext4").happened, Happened::kOpened);
}

TEST_F(CryptKinds, WhereBlkidFailsNothingIsOpened) {
  options_.blkid = directory_ / "none";
  const auto plain = make_plain_unlocker(options_);
  EXPECT_EQ(open(*plain, std::string(kShape)).happened, Happened::kFailed);
  EXPECT_FALSE(fs::exists(directory_ / "dev/mapper/data"));
}

TEST_F(CryptKinds, AMappingOnTrialThatCannotBeLookedAtIsNoWrongKey) {
  fs::remove(directory_ / "dev/dm-0");
  const auto plain = make_plain_unlocker(options_);
  EXPECT_EQ(open(*plain, std::string(kShape)).happened, Happened::kFailed);
  EXPECT_FALSE(fs::exists(directory_ / "dev/mapper/data"));
}

TEST_F(CryptKinds, ATrialOfAPlainVolumeLeavesNothingOpen) {
  const auto plain = make_plain_unlocker(options_);
  EXPECT_EQ(open(*plain, std::string(kShape), Attempt::kTrial).happened, Happened::kKeyFits);
  EXPECT_EQ(calls(), kTrialTold);
  EXPECT_TRUE(fs::is_empty(directory_ / "dev/mapper"));
}

TEST_F(CryptKinds, WithoutACheckAPlainVolumeOpensButItsKeyIsNeverCalledRight) {
  on_it_is("");
  const auto plain = make_plain_unlocker(options_);
  const auto words = std::string(kShape) + ",check=none";
  EXPECT_EQ(open(*plain, words, Attempt::kTrial).happened, Happened::kFailed);
  EXPECT_EQ(open(*plain, words).happened, Happened::kOpened);
  EXPECT_EQ(calls(), kShapeTold + "PLAIN passphrase data 0 key\n");
}

TEST_F(CryptKinds, APlainVolumesShapeIsPassedOn) {
  const auto plain = make_plain_unlocker(options_);
  const auto words =
      "cipher=serpent-cbc-essiv:sha256,size=128,hash=plain,offset=8,skip=9,sector-size=4096,discard,check="
      "none";
  EXPECT_EQ(open(*plain, words, Attempt::kOpen, "0123456789abcdef").happened, Happened::kOpened);
  EXPECT_EQ(calls(), "shape serpent cbc-essiv:sha256 16 - 8 9 4096\nPLAIN passphrase data " +
                         std::to_string(CRYPT_ACTIVATE_ALLOW_DISCARDS) + " 0123456789abcdef\n");
}

TEST_F(CryptKinds, AKeyThatIsTooShortForTheCipherIsUnusable) {
  const auto plain = make_plain_unlocker(options_);
  const auto outcome = open(*plain, "cipher=aes-xts-plain64,size=256,hash=plain");
  EXPECT_EQ(outcome.happened, Happened::kUnusableKey);
  EXPECT_EQ(calls(), "");
}

TEST_F(CryptKinds, TrueCryptsHeaderIsLookedForWithTheKeyAndEveryWord) {
  write(directory_ / "file", "x");
  const auto file = (directory_ / "file").string();
  const auto tcrypt = make_tcrypt_unlocker(options_);
  const auto words =
      "read-only,tcrypt-veracrypt,tcrypt-hidden,veracrypt-pim=7,hash=sha512,tcrypt-keyfile=" + file;
  EXPECT_EQ(open(*tcrypt, words).happened, Happened::kOpened);
  const auto flags = CRYPT_TCRYPT_LEGACY_MODES | CRYPT_TCRYPT_HIDDEN_HEADER | CRYPT_TCRYPT_VERA_MODES;
  EXPECT_EQ(calls(), "load key " + std::to_string(flags) + " 7 sha512 " + file + "\nTCRYPT volume-key data " +
                         std::to_string(CRYPT_ACTIVATE_READONLY) + " -\nblkid\n");
}

TEST_F(CryptKinds, BitLockerAndFileVaultOpenByPassphrase) {
  EXPECT_EQ(open(*make_bitlk_unlocker(options_), "").happened, Happened::kOpened);
  EXPECT_EQ(open(*make_fvault2_unlocker(options_), "", Attempt::kTrial).happened, Happened::kKeyFits);
  EXPECT_EQ(calls(), "BITLK passphrase data 0 key\nblkid\nFVAULT2 passphrase - 0 key\n");
}

TEST_F(CryptKinds, AnyOfTheKindsOpensThoseOfAllSideBySide) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "one at a time on one core";
  const auto luks = make_luks_unlocker(options_);
  EXPECT_EQ(luks->family(), make_bitlk_unlocker(options_)->family());
  ASSERT_EQ(::mkfifo((directory_ / "meet").c_str(), 0600), 0);
  write(directory_ / "other", "");
  write(directory_ / "third", "");
  const auto path = [&](const char* name) { return fs::canonical(directory_ / name).string(); };
  const std::vector<Unlocker::Volume> volumes{
      {"data", VolumeKind::kLuks, bytes_of("key"), {}, {path("disk")}},
      {"windows", VolumeKind::kBitlk, bytes_of("other key"), {}, {path("other")}},
      {"stick",
       VolumeKind::kTcrypt,
       bytes_of("words"),
       {},
       {path("third"), {}, "tcrypt-veracrypt,veracrypt-pim=7"}},
      {"odd", VolumeKind::kTcrypt, bytes_of("words"), {}, {path("third"), {}, "volume-key"}}};
  const auto outcomes = luks->open(volumes, Attempt::kOpen, {});
  ASSERT_EQ(outcomes.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(outcomes[i].happened, Happened::kOpened) << outcomes[i].detail;
  EXPECT_EQ(outcomes[3].happened, Happened::kFailed);
  EXPECT_THAT(outcomes[3].detail, HasSubstr("volume-key")) << "a word of LUKS alone";
  for (const auto* call :
       {"LUKS passphrase data 0 key\n", "BITLK passphrase windows 0 other key\n", "load words "}) {
    EXPECT_THAT(calls(), HasSubstr(call));
  }
}

TEST_F(CryptKinds, LuksOpensByTheVolumeKeyWhereItsWordsSaySo) {
  EXPECT_EQ(open(*make_luks_unlocker(options_), "volume-key,keyfile-offset=1").happened, Happened::kOpened);
  EXPECT_EQ(calls(), "LUKS volume-key data 0 ey\nblkid\n");
}

TEST_F(CryptKinds, AVolumeKeyOfLuksHasTheSizeThatItsHeaderTells) {
  EXPECT_EQ(open(*make_luks_unlocker(options_), "volume-key").happened, Happened::kWrongKey);
  EXPECT_EQ(calls(), "");
}

TEST_F(CryptKinds, ALibraryThatLacksAFunctionIsToldFromNone) {
  const auto none = open(*make_luks_unlocker(CryptOptions{.libraries = {directory_ / "none.so"}}), "");
  EXPECT_THAT(none.detail, HasSubstr("libcryptsetup is not installed"));
  const auto other = open(*make_luks_unlocker(CryptOptions{.libraries = {"libc.so.6"}}), "");
  EXPECT_EQ(other.happened, Happened::kFailed);
  EXPECT_THAT(other.detail, HasSubstr("libc.so.6 has no function crypt_init"));
}

TEST_F(CryptKinds, EachKindKnowsItsOwnMappings) {
  write(directory_ / "dev/vdb", "");
  const auto vdb = fs::canonical(directory_ / "dev/vdb").string();
  mapping("dm-0", "a", "CRYPT-PLAIN-a", "vdb");
  mapping("dm-1", "b", "CRYPT-BITLK-12-b", "vdc");
  mapping("dm-2", "c", "CRYPT-TCRYPT-c", "dm-3");
  mapping("dm-3", "c_1", "CRYPT-TCRYPT-c_1", "vdd");
  const auto plain = make_plain_unlocker(options_)->inspect({{"a", {vdb}}, {"b"}});
  ASSERT_TRUE(plain);
  EXPECT_TRUE((*plain)[0].is_open);
  EXPECT_FALSE((*plain)[1].is_open);
  EXPECT_EQ(make_bitlk_unlocker(options_)->discover()->size(), 1U);
  EXPECT_EQ(make_tcrypt_unlocker(options_)->discover()->size(), 1U);
  EXPECT_EQ(make_luks_unlocker(options_)->discover()->size(), 0U);
  const auto outcomes = make_luks_unlocker(options_)->close({{"a", {vdb}}}, {});
  EXPECT_EQ(outcomes.front().happened, Happened::kNotAVolume);
}

TEST_F(CryptKinds, AChainOfCiphersIsOneMappingOnItsDevice) {
  mapping("dm-2", "c", "CRYPT-TCRYPT-c", "dm-3");
  mapping("dm-3", "c_1", "CRYPT-TCRYPT-c_1", "dm-4");
  mapping("dm-4", "c_2", "CRYPT-TCRYPT-c_2", "vdd");
  mapping("dm-5", "p", "CRYPT-PLAIN-p", "dm-6");
  mapping("dm-6", "p_1", "CRYPT-PLAIN-p_1", "vde");
  const auto mappings = Mappings::read(directory_ / "sys");
  ASSERT_NE(mappings.of_cryptsetup_on("/dev/vdd"), nullptr);
  EXPECT_EQ(mappings.of_cryptsetup_on("/dev/vdd")->name, "c");
  EXPECT_FALSE(mappings.lies_on(*mappings.find("p"), "/dev/vde"));
}

TEST(CryptKindWords, NumbersHaveBounds) {
  EXPECT_EQ(number_option("size", "4096", 8, 4096).value(), 4096U);
  for (const auto* text : {"", "7", "4097", "-8", "8x", " 8", "99999999999999999999"}) {
    EXPECT_EQ(number_option("size", text, 8, 4096).error().kind(), ErrorKind::kInvalid) << text;
  }
}

TEST(CryptKindWords, TheLastWordCountsAndEmptyOnesDoNot) {
  const auto wishes = parse_crypt_options(plain_kind(), ",," + std::string(kShape) + ",size=512,,");
  ASSERT_TRUE(wishes) << wishes.error().message();
  EXPECT_EQ(wishes->plain.key_bytes, 64U);
}

}  // namespace
}  // namespace zkv::unlock
