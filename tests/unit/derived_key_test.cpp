// Wrapping keys that were derived once and kept: when they spare the derivation, and when they must not be
// believed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "fake_zfs.h"
#include "host/boot.h"
#include "repository/change.h"
#include "unlock/registry.h"

namespace zkv::host {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using unlock::Happened;

constexpr std::uint64_t kSalt = 81985529216486895;
constexpr std::uint64_t kIterations = 100'000;
// PBKDF2 of "correct horse" by Python's hashlib: that salt, 100'000 iterations.
const std::string kDerived = "6e1a324b35e5a8aac4a6fc7d86d447693b9b8027411d220dcf1d33cf8db58df7";

/// A machine with one filesystem under a passphrase, and a repository that holds it.
class DerivedKeys : public testing::Test {
 protected:
  DerivedKeys() {
    zfs_.add("tank");
    zfs_.add_root("tank/a", kDerived,
                  {{"keyformat", "passphrase"},
                   {"pbkdf2iters", std::to_string(kIterations)},
                   {"pbkdf2salt", std::to_string(kSalt)}});
    EXPECT_TRUE(repository::create(path_, repository::Format::kVersion2, key_, false));
  }

  void hold(std::string_view passphrase) {
    ASSERT_TRUE(repository::edit(path_, key_, [&](repository::VolumeKeys& keys) {
      return keys.add("tank/a", repository::VolumeKind::kZfs, bytes_of(passphrase), true);
    }));
  }
  void hold_derived(const std::string& hex, std::uint64_t salt = kSalt) {
    const auto bytes = from_hex(hex).value_or(Bytes());
    ASSERT_TRUE(repository::edit(path_, key_, [&](repository::VolumeKeys& keys) {
      return keys.set_derived("tank/a", {salt, kIterations, bytes});
    }));
  }
  [[nodiscard]] std::string held() const {
    const auto opened = repository::open(path_, key_);
    if (!opened) return opened.error().message();
    const auto volumes = opened->keys.volumes();
    const auto& derived = volumes.front().derived;
    return derived ? std::to_string(derived->salt) + " " + to_hex(derived->key) : "none";
  }
  [[nodiscard]] std::uint64_t generation() const {
    return repository::describe(path_)->outside->header.generation;
  }

  Happened boot(bool is_trial = false) {
    const auto report =
        open_and_mount({.repository = path_, .is_trial = is_trial}, {key_.clone(), std::nullopt},
                       unlock::all_unlockers({.zfs = zfs_.options()}), {});
    EXPECT_TRUE(report);
    EXPECT_THAT(report->warnings, IsEmpty());
    return report->volumes.front().outcome.happened;
  }

  test::FakeZfs zfs_;
  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "repository";
  SecretBytes key_ = repository::new_key();
};

TEST_F(DerivedKeys, TheFirstBootKeepsWhatItDerivedAndTheSecondWritesNothing) {
  hold("correct horse");
  EXPECT_EQ(boot(), Happened::kOpened);
  EXPECT_EQ(held(), std::to_string(kSalt) + " " + kDerived);
  const auto before = generation();
  zfs_.set("tank/a", "keystatus", "unavailable");
  EXPECT_EQ(boot(), Happened::kOpened);
  EXPECT_EQ(generation(), before);
}

TEST_F(DerivedKeys, ATrialKeepsNothing) {
  hold("correct horse");
  EXPECT_EQ(boot(true), Happened::kKeyFits);
  EXPECT_EQ(held(), "none");
}

TEST_F(DerivedKeys, TheOneThatFitsIsTakenWithoutDeriving) {
  hold("not the passphrase");
  hold_derived(kDerived);
  EXPECT_EQ(boot(), Happened::kOpened);
  EXPECT_THAT(zfs_.calls_of("lzc_load_key"), SizeIs(1));
}

TEST_F(DerivedKeys, TheOneThatFitsIsTakenBeforeAnythingIsLookedAt) {
  hold("not the passphrase");
  hold_derived(kDerived);
  const auto report =
      open_and_mount({.repository = path_, .wants_mounts = false}, {key_.clone(), std::nullopt},
                     unlock::all_unlockers({.zfs = zfs_.options()}), {});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->is_complete());
  EXPECT_TRUE(report->volumes.front().outcome.is_as_before);
  EXPECT_THAT(zfs_.calls_of("zfs"), IsEmpty());
}

TEST_F(DerivedKeys, WhatIsTakenSoIsMountedAsEver) {
  hold("not the passphrase");
  hold_derived(kDerived);
  const auto report = open_and_mount({.repository = path_}, {key_.clone(), std::nullopt},
                                     unlock::all_unlockers({.zfs = zfs_.options()}), {});
  ASSERT_TRUE(report);
  ASSERT_THAT(report->mounts, SizeIs(1));
  EXPECT_EQ(report->mounts.front().happened, unlock::MountHappened::kMounted);
}

TEST_F(DerivedKeys, WithoutTheLibraryNothingIsTakenSo) {
  hold("correct horse");
  hold_derived(kDerived);
  auto options = zfs_.options();
  options.road = unlock::Road::kProgram;
  const auto report = open_and_mount({.repository = path_}, {key_.clone(), std::nullopt},
                                     unlock::all_unlockers({.zfs = options}), {});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->is_complete());
  EXPECT_FALSE(report->volumes.front().outcome.is_as_before);
}

TEST_F(DerivedKeys, OneThatIsRefusedGivesWayToThePassphrase) {
  hold("correct horse");
  hold_derived(std::string(64, 'f'));
  EXPECT_EQ(boot(), Happened::kOpened);
  EXPECT_EQ(held(), std::to_string(kSalt) + " " + kDerived);
}

TEST_F(DerivedKeys, OneOfAnotherSaltIsRenewed) {
  hold("correct horse");
  hold_derived(std::string(64, 'f'), kSalt + 1);
  EXPECT_EQ(boot(), Happened::kOpened);
  EXPECT_THAT(zfs_.calls_of("lzc_load_key"), SizeIs(2));
  EXPECT_EQ(held(), std::to_string(kSalt) + " " + kDerived);
}

TEST_F(DerivedKeys, WhatOpensNothingIsNotKept) {
  hold("not the passphrase");
  EXPECT_EQ(boot(), Happened::kWrongKey);
  EXPECT_EQ(held(), "none");
}

TEST_F(DerivedKeys, AnotherPassphraseMakesTheOldOneForgotten) {
  hold("correct horse");
  hold_derived(kDerived);
  hold("another passphrase");
  EXPECT_EQ(held(), "none");
}

TEST_F(DerivedKeys, ARepositoryThatCannotBeWrittenIsAWarningAndTheVolumeIsOpen) {
  hold("correct horse");
  std::filesystem::remove(path_.string() + ".lock");
  std::filesystem::create_directory(path_.string() + ".lock");
  const auto report = open_and_mount({.repository = path_}, {key_.clone(), std::nullopt},
                                     unlock::all_unlockers({.zfs = zfs_.options()}), {});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->is_complete());
  EXPECT_THAT(report->warnings, SizeIs(1));
}

TEST_F(DerivedKeys, ADerivedKeyOfAnotherSizeIsRefused) {
  hold("correct horse");
  EXPECT_FALSE(repository::edit(path_, key_, [&](repository::VolumeKeys& keys) {
    return keys.set_derived("tank/a", {kSalt, kIterations, bytes_of("short")});
  }));
  EXPECT_EQ(held(), "none");
}

}  // namespace
}  // namespace zkv::host
