// Repositories of both formats: what goes in comes out, and who can open them.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "crypto/fernet.h"
#include "crypto/random.h"
#include "repository/generation.h"
#include "repository_world.h"

namespace zkv::repository {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class EitherFormat : public RepositoryFiles, public testing::WithParamInterface<Format> {};

INSTANTIATE_TEST_SUITE_P(Formats, EitherFormat, testing::Values(Format::kSeed, Format::kVersion2),
                         [](const auto& format) {
                           return format.param == Format::kSeed ? "Seed" : "Version2";
                         });

TEST_P(EitherFormat, IsEmptyAtFirstAndRecognised) {
  make(GetParam());
  EXPECT_EQ(format_of(path_).value(), GetParam());
  EXPECT_THAT(contents(), IsEmpty());
}

TEST_P(EitherFormat, GivesVolumesBackInTheOrderInWhichTheyWereAdded) {
  make(GetParam());
  ASSERT_TRUE(add("tank/b", "one"));
  ASSERT_TRUE(add("tank/a", "two"));
  ASSERT_TRUE(add("tank/c", "three"));
  EXPECT_THAT(contents(), ElementsAre("tank/b=one", "tank/a=two", "tank/c=three"));
}

TEST_P(EitherFormat, KeepsAnyTextThatJsonWouldEscape) {
  make(GetParam());
  const std::string key = "\"\\\b\f\n\r\t/ \x7f\x01 é € 😀";
  ASSERT_TRUE(add("tänk/\"q\"", key));
  EXPECT_THAT(contents(), ElementsAre("tänk/\"q\"=" + key));
}

TEST_P(EitherFormat, DoesNotAddANameTwiceUnlessTold) {
  make(GetParam());
  ASSERT_TRUE(add("a", "one"));
  ASSERT_TRUE(add("b", "two"));
  EXPECT_EQ(add("a", "three").error().kind(), ErrorKind::kExists);
  EXPECT_THAT(contents(), ElementsAre("a=one", "b=two"));
  ASSERT_TRUE(add("a", "three", true));
  EXPECT_THAT(contents(), ElementsAre("a=three", "b=two"));
}

TEST_P(EitherFormat, RemovesByNameAndSaysWhenItIsNotThere) {
  make(GetParam());
  ASSERT_TRUE(add("a", "one"));
  ASSERT_TRUE(add("b", "two"));
  ASSERT_TRUE(add("c", "three"));
  const auto remove = [this](std::string_view name) {
    return edit(path_, key_, [&](VolumeKeys& keys) { return keys.remove(name); });
  };
  ASSERT_TRUE(remove("a"));
  ASSERT_TRUE(remove("c"));
  EXPECT_EQ(remove("c").error().kind(), ErrorKind::kNotFound);
  EXPECT_THAT(contents(), ElementsAre("b=two"));
}

TEST_P(EitherFormat, AFailedChangeWritesNothing) {
  make(GetParam());
  const Bytes before = bytes(path_);
  const auto changed = edit(path_, key_, [](VolumeKeys& keys) -> Result<> {
    ZKV_CHECK(keys.add("a", VolumeKind::kZfs, bytes_of("one")));
    return Error::invalid("changed my mind");
  });
  EXPECT_FALSE(changed);
  EXPECT_EQ(bytes(path_), before);
}

TEST_P(EitherFormat, AnotherKeyOpensNothingAndChangesNothing) {
  make(GetParam());
  ASSERT_TRUE(add("a", "one"));
  const Bytes before = bytes(path_);
  const auto other = new_key();
  EXPECT_EQ(open(path_, other).error().kind(), ErrorKind::kWrongKey);
  EXPECT_EQ(open(path_, SecretBytes::copy_of("short")).error().kind(), ErrorKind::kWrongKey);
  EXPECT_EQ(open(path_, SecretBytes()).error().kind(), ErrorKind::kWrongKey);
  EXPECT_FALSE(edit(path_, other, [](VolumeKeys&) { return Result<>(); }));
  EXPECT_EQ(bytes(path_), before);
}

TEST_P(EitherFormat, TheKeyMayCarryALineEnd) {
  make(GetParam());
  EXPECT_TRUE(open(path_, SecretBytes::copy_of(std::string(key_.view()) + "\n")));
}

TEST_P(EitherFormat, KeepsThePreviousGeneration) {
  make(GetParam());
  ASSERT_TRUE(add("a", "one"));
  ASSERT_TRUE(add("b", "two"));
  EXPECT_THAT(contents(path_.string() + ".previous", key_), ElementsAre("a=one"));
}

TEST_P(EitherFormat, IsNotReplacedUnlessToldAndThenStaysThroughLaterChanges) {
  make(GetParam());
  ASSERT_TRUE(add("a", "one"));
  EXPECT_EQ(create(path_, GetParam(), key_, false).error().kind(), ErrorKind::kExists);
  const auto aside = create(path_, GetParam(), key_, true).value();
  EXPECT_THAT(contents(), IsEmpty());
  ASSERT_TRUE(add("b", "two"));
  ASSERT_TRUE(add("c", "three"));
  ASSERT_TRUE(aside);
  EXPECT_THAT(contents(*aside, key_), ElementsAre("a=one"));
  EXPECT_EQ(fs::status(*aside).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_P(EitherFormat, WhatWasWrittenIsShownAndNothingThatWasNot) {
  make(GetParam());
  std::vector<std::size_t> shown;
  const auto show = [&](const VolumeKeys& keys) { shown.push_back(keys.size()); };
  EXPECT_TRUE(edit(
      path_, key_, [](VolumeKeys& keys) { return keys.add("a", VolumeKind::kZfs, bytes_of("k")); }, show));
  EXPECT_FALSE(edit(
      path_, key_, [](VolumeKeys&) { return Result<>(Error::invalid("no")); }, show));
  const auto cannot_be_written = [&](VolumeKeys& keys) {
    fs::remove_all(folder_);
    return keys.remove("a");
  };
  EXPECT_FALSE(edit(path_, key_, cannot_be_written, show));
  EXPECT_THAT(shown, ElementsAre(1U));
}

TEST_P(EitherFormat, IsForItsOwnerOnly) {
  make(GetParam());
  ASSERT_TRUE(add("a", "one"));
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_P(EitherFormat, HasNothingOfItsKeysInTheClear) {
  make(GetParam());
  ASSERT_TRUE(add("tank/named", "the-very-secret"));
  const Bytes file = bytes(path_);
  const std::string text(file.begin(), file.end());
  EXPECT_THAT(text, testing::Not(HasSubstr("very-secret")));
  EXPECT_THAT(text, testing::Not(HasSubstr("tank/named")));
}

TEST_P(EitherFormat, IsChangedThroughALinkWhereItReallyLies) {
  make(GetParam());
  fs::create_directory(folder_ / "elsewhere");
  fs::create_symlink(path_, folder_ / "elsewhere" / "link");
  const fs::path link = folder_ / "elsewhere" / "link";
  ASSERT_TRUE(
      edit(link, key_, [](VolumeKeys& keys) { return keys.add("a", VolumeKind::kZfs, bytes_of("one")); }));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_THAT(contents(), ElementsAre("a=one"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "elsewhere"), fs::directory_iterator()), 1);
}

TEST_P(EitherFormat, SweepsUpWhatAKilledWriterLeft) {
  make(GetParam());
  ASSERT_TRUE(create_file(folder_ / ".repository.0123456789abcdef.tmp", bytes_of("half")));
  ASSERT_TRUE(create_file(folder_ / ".repository.notours.tmp", bytes_of("somebody else's")));
  ASSERT_TRUE(add("a", "one"));
  EXPECT_FALSE(fs::exists(folder_ / ".repository.0123456789abcdef.tmp"));
  EXPECT_TRUE(fs::exists(folder_ / ".repository.notours.tmp"));
}

TEST_P(EitherFormat, HoldsAThousandVolumes) {
  make(GetParam());
  ASSERT_TRUE(edit(path_, key_, [](VolumeKeys& keys) -> Result<> {
    for (int i = 0; i < 1000; ++i) {
      ZKV_CHECK(keys.add("tank/" + std::to_string(i), VolumeKind::kZfs, bytes_of("key" + std::to_string(i))));
    }
    return {};
  }));
  const auto all = contents();
  ASSERT_EQ(all.size(), 1000U);
  EXPECT_EQ(all.back(), "tank/999=key999");
}

TEST_F(RepositoryFiles, ThatAreMissingAreSaidToBeAndNothingIsLeft) {
  EXPECT_EQ(format_of(path_).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(open(path_, key_).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(add("a", "one").error().kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(RepositoryFiles, ASeedFileIsWhatTheSeedsClientWrites) {
  make(Format::kSeed);
  ASSERT_TRUE(add("tank/é", "a\"b"));
  ASSERT_TRUE(add("tank/😀", "\x7f"));
  const Bytes file = bytes(path_);
  const auto key = crypto::fernet_key_from_text(key_.view());
  const auto message = crypto::fernet_open(key->span(), std::string(file.begin(), file.end()));
  EXPECT_EQ(message->plaintext.view(), R"({"tank/\u00e9": "a\"b", "tank/\ud83d\ude00": "\u007f"})");
}

TEST_F(RepositoryFiles, TheSeedsFormatTakesNoKeyThatIsNotText) {
  make(Format::kSeed);
  ASSERT_TRUE(add("a", "one"));
  const auto added = add("b", "\xff\xfe");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(contents(), ElementsAre("a=one"));
}

TEST_F(RepositoryFiles, Version2TakesAnyBytes) {
  make(Format::kVersion2);
  const std::string raw("\0\xff\x80\n\xc3", 5);
  ASSERT_TRUE(add("a", raw));
  EXPECT_THAT(contents(), ElementsAre("a=" + raw));
}

TEST_F(RepositoryFiles, Version2KeepsWhatALaterVersionWroteIntoIt) {
  make(Format::kVersion2);
  const Bytes extra{99, 0, 1, 0, 0, 0, 'x'};
  const Bytes record{77, 0, 2, 0, 0, 0, 'y', 'z'};
  ASSERT_TRUE(edit(path_, key_, [&](VolumeKeys& keys) -> Result<> {
    keys.restore({"later", static_cast<VolumeKind>(99), bytes_of("key"), extra});
    keys.set_unknown_records(record);
    return {};
  }));
  ASSERT_TRUE(add("a", "one"));
  const auto opened = open(path_, key_);
  ASSERT_TRUE(opened);
  const auto volumes = opened->keys.volumes();
  ASSERT_EQ(volumes.size(), 2U);
  EXPECT_EQ(to_text(volumes[0].kind), "kind 99");
  EXPECT_THAT(volumes[0].unknown_fields, testing::ElementsAreArray(extra));
  EXPECT_THAT(opened->keys.unknown_records(), testing::ElementsAreArray(record));
}

TEST_F(RepositoryFiles, Version2KeepsSettingsBesideWhatItDoesNotKnow) {
  make(Format::kVersion2);
  const Bytes extra{99, 0, 1, 0, 0, 0, 'x'};
  const VolumeSettings settings{"UUID=1", "/srv", "discard"};
  ASSERT_TRUE(edit(path_, key_, [&](VolumeKeys& keys) -> Result<> {
    keys.restore({"data", VolumeKind::kLuks, bytes_of("key"), extra, {}});
    return keys.set_settings("data", settings);
  }));
  ASSERT_TRUE(edit(path_, key_, [&](VolumeKeys& keys) {
    return keys.add("data", VolumeKind::kLuks, bytes_of("another key"), true);
  }));
  const auto opened = open(path_, key_);
  ASSERT_TRUE(opened);
  const auto volumes = opened->keys.volumes();
  EXPECT_EQ(volumes.front().settings, settings);
  EXPECT_THAT(volumes.front().unknown_fields, testing::ElementsAreArray(extra));
}

TEST_F(RepositoryFiles, AVolumeIsNeverReplacedByOneOfAnotherKind) {
  make(Format::kVersion2);
  ASSERT_TRUE(add("a", "two"));
  EXPECT_EQ(edit(path_, key_,
                 [](VolumeKeys& keys) { return keys.add("a", VolumeKind::kLuks, bytes_of("k"), true); })
                .error()
                .kind(),
            ErrorKind::kExists);
  EXPECT_THAT(contents(), ElementsAre("a=two"));
}

TEST_F(RepositoryFiles, ASettingThatIsNoPlainTextIsRefused) {
  make(Format::kVersion2);
  ASSERT_TRUE(add("a", "two"));
  for (const std::string& text : {std::string("a\nb"), std::string("\xff"), std::string(4097, 'x')}) {
    EXPECT_EQ(edit(path_, key_,
                   [&](VolumeKeys& keys) {
                     return keys.set_settings("a", {text, {}, {}});
                   })
                  .error()
                  .kind(),
              ErrorKind::kInvalid);
  }
}

TEST_F(RepositoryFiles, AnOlderGenerationPutBackOpensWithAWarning) {
  make(Format::kVersion2);
  const Bytes first = bytes(path_);
  ASSERT_TRUE(add("a", "one"));
  EXPECT_FALSE(open(path_, key_)->warning);
  ASSERT_TRUE(replace_file(path_, first));
  const auto opened = open(path_, key_);
  ASSERT_TRUE(opened);
  ASSERT_TRUE(opened->warning);
  EXPECT_THAT(*opened->warning, HasSubstr("generation 1"));
  EXPECT_THAT(*opened->warning, HasSubstr("generation 2 was seen"));
}

TEST_F(RepositoryFiles, ANewerGenerationFromElsewhereIsRememberedOnceItHasOpened) {
  make(Format::kVersion2);
  const Bytes first = bytes(path_);
  ASSERT_TRUE(add("a", "one"));
  const Bytes second = bytes(path_);
  fs::remove(path_.string() + ".generation");
  ASSERT_TRUE(replace_file(path_, second));
  EXPECT_FALSE(open(path_, new_key()));
  ASSERT_TRUE(replace_file(path_, first));
  EXPECT_FALSE(open(path_, key_)->warning) << "a file that never opened must not be believed";
  ASSERT_TRUE(replace_file(path_, second));
  EXPECT_FALSE(open(path_, key_)->warning);
  ASSERT_TRUE(replace_file(path_, first));
  EXPECT_TRUE(open(path_, key_)->warning);
}

TEST_F(RepositoryFiles, ADamagedGenerationNoteIsNoHindrance) {
  make(Format::kVersion2);
  for (const auto* note :
       {"", "\n", "x", "0011 5\n", "00112233445566778899aabbccddeeff\n",
        "00112233445566778899aabbccddeeff \n", "00112233445566778899aabbccddeeff 99999999999999999999999\n",
        "00112233445566778899aabbccddeeff 5 \n", "00112233445566778899aabbccddeeff 5 00ff\n",
        "00112233445566778899aabbccddeeff 5 zz"}) {
    ASSERT_TRUE(replace_file(path_.string() + ".generation", bytes_of(note)));
    EXPECT_FALSE(open(path_, key_)->warning) << note;
  }
}

TEST_F(RepositoryFiles, ANoteWithNumbersBeyondAllIsNotBelieved) {
  make(Format::kVersion2);
  ASSERT_TRUE(add("a", "one"));
  const auto note = path_.string() + ".generation";
  const auto words = to_hex(describe(path_)->outside->header.id) + " ";
  const auto digest = " " + to_hex(crypto::Sha256());
  for (const auto& line : {words + "18446744073709551615\n", words + "2" + digest + " 4294967295\n",
                           words + "2" + digest + " 3 4\n"}) {
    ASSERT_TRUE(replace_file(note, bytes_of(line)));
    EXPECT_FALSE(seen_generation(path_)) << line;
  }
  ASSERT_TRUE(replace_file(note, bytes_of(words + "9" + digest + " 7\n")));
  EXPECT_EQ(seen_generation(path_)->highest_slot, 7U);
  EXPECT_TRUE(rollback_warning(path_));
}

TEST_F(RepositoryFiles, DamageShowsFromOutsideOnceTheFileHasOpenedHere) {
  make(Format::kVersion2);
  ASSERT_TRUE(add("a", "one"));
  const Bytes sound = bytes(path_);
  EXPECT_EQ(damage_warning(path_), std::nullopt);
  Bytes damaged = sound;
  damaged[damaged.size() - 20] ^= 1U;
  ASSERT_TRUE(replace_file(path_, damaged));
  ASSERT_TRUE(damage_warning(path_));
  EXPECT_THAT(*damage_warning(path_), HasSubstr("generation, 2"));
  EXPECT_FALSE(open(path_, key_)) << "and what is told of it is true";
  EXPECT_TRUE(damage_warning(path_)) << "a file that did not open is not believed";
  ASSERT_TRUE(replace_file(path_, sound));
  EXPECT_EQ(damage_warning(path_), std::nullopt);
}

TEST_F(RepositoryFiles, ANoteOfAnEarlierVersionTellsOfNoDamage) {
  make(Format::kVersion2);
  ASSERT_TRUE(add("a", "one"));
  const auto note = read_file(path_.string() + ".generation", 200).value();
  const std::string line(note.begin(), note.end());
  const auto without_slot = line.substr(0, line.rfind(' '));
  ASSERT_TRUE(replace_file(path_.string() + ".generation", bytes_of(without_slot + "\n")));
  EXPECT_TRUE(seen_generation(path_)->digest);
  ASSERT_TRUE(replace_file(path_.string() + ".generation",
                           bytes_of(without_slot.substr(0, without_slot.rfind(' ')) + "\n")));
  EXPECT_EQ(seen_generation(path_)->generation, 2U);
  EXPECT_FALSE(seen_generation(path_)->digest);
  EXPECT_EQ(damage_warning(path_), std::nullopt);
  ASSERT_TRUE(open(path_, key_));
  EXPECT_TRUE(seen_generation(path_)->digest);
}

TEST_F(RepositoryFiles, ThroughALinkRollbackAndDamageAreSeenToo) {
  make(Format::kVersion2);
  const Bytes first = bytes(path_);
  ASSERT_TRUE(add("a", "one"));
  const auto link = folder_ / "link";
  fs::create_symlink(path_, link);
  EXPECT_EQ(rollback_warning(link), std::nullopt);
  Bytes damaged = bytes(path_);
  damaged[damaged.size() - 20] ^= 1U;
  ASSERT_TRUE(replace_file(path_, damaged));
  EXPECT_TRUE(damage_warning(link));
  ASSERT_TRUE(replace_file(path_, first));
  EXPECT_THAT(rollback_warning(link).value_or(""), HasSubstr("generation 2 was seen"));
}

TEST_F(RepositoryFiles, AnOlderOneThatIsChangedIsNewerThanAllThatWereSeen) {
  make(Format::kVersion2);
  const Bytes first = bytes(path_);
  ASSERT_TRUE(add("a", "one"));
  ASSERT_TRUE(add("b", "two"));
  const Bytes third = bytes(path_);
  ASSERT_TRUE(replace_file(path_, first));
  ASSERT_TRUE(add("c", "three"));
  EXPECT_EQ(describe(path_)->outside->header.generation, 4U);
  ASSERT_TRUE(replace_file(path_, third));
  EXPECT_THAT(open(path_, key_)->warning.value_or(""), HasSubstr("generation 4 was seen"));
  EXPECT_EQ(damage_warning(path_), std::nullopt) << "it is another generation, and whole";
}

class Slots : public RepositoryFiles {
 protected:
  Slots() { make(Format::kVersion2); }
  [[nodiscard]] Result<std::uint32_t> add_key(SlotType type, const SecretBytes& secret) const {
    return add_slot(path_, key_, {.type = type, .label = "mine", .secret = secret.clone(), .cost = kCheap});
  }
  [[nodiscard]] std::size_t count() const { return describe(path_)->outside->slots.size(); }
};

TEST_F(Slots, OfEachTypeOpenTheSameVolumes) {
  ASSERT_TRUE(add("a", "one"));
  const auto recovery = new_key();
  const auto classic = new_key();
  const auto passphrase = SecretBytes::copy_of("correct horse");
  EXPECT_EQ(add_key(SlotType::kRecovery, recovery).value(), 2U);
  EXPECT_EQ(add_key(SlotType::kClassic, classic).value(), 3U);
  EXPECT_EQ(add_key(SlotType::kPassphrase, passphrase).value(), 4U);
  EXPECT_THAT(contents(path_, recovery), ElementsAre("a=one"));
  EXPECT_THAT(contents(path_, classic), ElementsAre("a=one"));
  EXPECT_THAT(contents(path_, passphrase), ElementsAre("a=one"));
  EXPECT_THAT(contents(), ElementsAre("a=one"));
}

TEST_F(Slots, OfAGatewayOpenWithBothSharesInOrderAndWithNothingLess) {
  ASSERT_TRUE(add("a", "one"));
  const auto vault = crypto::random_secret(kShareSize);
  const auto local = crypto::random_secret(kShareSize);
  ASSERT_TRUE(
      add_gateway_slot(path_, key_, {.label = "home", .gateway = {7}, .shares = join_shares(vault, local)}));
  EXPECT_THAT(contents(path_, join_shares(vault, local)), ElementsAre("a=one"));
  const auto refusal = [this](const SecretBytes& secret) { return open(path_, secret).error().kind(); };
  EXPECT_EQ(refusal(join_shares(local, vault)), ErrorKind::kWrongKey);
  EXPECT_EQ(refusal(join_shares(vault, SecretBytes(kShareSize))), ErrorKind::kWrongKey);
  EXPECT_EQ(refusal(vault), ErrorKind::kWrongKey);
  EXPECT_EQ(refusal(local), ErrorKind::kWrongKey);
}

TEST_F(Slots, OfOneGatewayDoNotOpenAsThoseOfAnother) {
  const auto shares = crypto::random_secret(2 * kShareSize);
  ASSERT_TRUE(add_gateway_slot(path_, key_, {.label = {}, .gateway = {7}, .shares = shares.clone()}));
  Slot slot = describe(path_)->outside->slots.back();
  const auto id = describe(path_)->outside->header.id;
  ASSERT_TRUE(unwrap_key(slot, id, shares));
  EXPECT_EQ(gateway_of(slot), GatewayId{7});
  slot.parameters = gateway_parameters({8});
  EXPECT_EQ(unwrap_key(slot, id, shares).error().kind(), ErrorKind::kWrongKey);
  slot.parameters.clear();
  EXPECT_EQ(unwrap_key(slot, id, shares).error().kind(), ErrorKind::kWrongKey);
}

TEST_F(Slots, OfAGatewayAreNoReasonToDropTheLastKeyOnPaper) {
  ASSERT_TRUE(
      add_gateway_slot(path_, key_, {.label = {}, .gateway = {7}, .shares = crypto::random_secret(64)}));
  EXPECT_EQ(remove_slot(path_, key_, 1, false).error().kind(), ErrorKind::kInvalid);
}

TEST_F(Slots, APassphraseOfTheShapeOfAKeyWorksToo) {
  const auto passphrase = new_key();
  ASSERT_TRUE(add_key(SlotType::kPassphrase, passphrase));
  EXPECT_TRUE(open(path_, passphrase));
}

TEST_F(Slots, ThatAreRemovedNoLongerOpen) {
  const auto second = new_key();
  const auto id = add_key(SlotType::kClassic, second);
  ASSERT_TRUE(remove_slot(path_, key_, id.value(), false));
  EXPECT_EQ(open(path_, second).error().kind(), ErrorKind::kWrongKey);
  EXPECT_TRUE(open(path_, key_));
  EXPECT_EQ(remove_slot(path_, key_, id.value(), false).error().kind(), ErrorKind::kNotFound);
}

TEST_F(Slots, NoNumberIsGivenTwiceThoughAnOlderRepositoryIsPutBack) {
  const Bytes before = bytes(path_);
  EXPECT_EQ(add_key(SlotType::kRecovery, new_key()).value(), 2U);
  ASSERT_TRUE(replace_file(path_, before));
  ASSERT_TRUE(add("a", "one"));
  EXPECT_EQ(add_key(SlotType::kRecovery, new_key()).value(), 3U);
  ASSERT_TRUE(remove_slot(path_, key_, 3, false));
  EXPECT_EQ(add_key(SlotType::kRecovery, new_key()).value(), 4U);
}

TEST_F(Slots, TheLastThatAKeyOpensStaysUnlessForced) {
  EXPECT_EQ(remove_slot(path_, key_, 1, false).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(count(), 1U);
  ASSERT_TRUE(remove_slot(path_, key_, 1, true));
  EXPECT_EQ(open(path_, key_).error().kind(), ErrorKind::kWrongKey);
}

TEST_F(Slots, AreRefusedWithoutAKeyThatOpens) {
  const auto stranger = new_key();
  EXPECT_EQ(
      add_slot(path_, stranger, {.type = SlotType::kClassic, .label = {}, .secret = new_key(), .cost = {}})
          .error()
          .kind(),
      ErrorKind::kWrongKey);
  EXPECT_EQ(remove_slot(path_, stranger, 1, true).error().kind(), ErrorKind::kWrongKey);
  EXPECT_EQ(count(), 1U);
}

TEST_F(Slots, WantASecretOfTheirForm) {
  EXPECT_EQ(add_key(SlotType::kClassic, SecretBytes::copy_of("short")).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_key(SlotType::kPassphrase, SecretBytes()).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_key(SlotType::kGateway, new_key()).error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(count(), 1U);
}

TEST_F(Slots, HaveBoundsToTheirCostLabelAndNumber) {
  const auto add_with = [this](const std::string& label, crypto::Argon2Cost cost) {
    return add_slot(path_, key_,
                    {.type = SlotType::kPassphrase, .label = label, .secret = new_key(), .cost = cost});
  };
  EXPECT_EQ(add_with("", {.passes = 65, .memory_kib = 64}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_with("", {.passes = 1, .memory_kib = 2'000'000}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_with("", {.passes = 64, .memory_kib = 1'000'000}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_with(std::string(256, 'x'), kCheap).error().kind(), ErrorKind::kInvalid);
  while (count() < kMostSlots) ASSERT_TRUE(add_key(SlotType::kClassic, new_key()));
  EXPECT_EQ(add_key(SlotType::kClassic, new_key()).error().kind(), ErrorKind::kInvalid);
}

TEST_F(RepositoryFiles, OfTheSeedHaveNoSlots) {
  make(Format::kSeed);
  EXPECT_EQ(remove_slot(path_, key_, 1, true).error().kind(), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace zkv::repository
