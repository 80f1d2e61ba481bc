// Repositories of both formats: what goes in comes out, and who can open them.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "crypto/fernet.h"
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

}  // namespace
}  // namespace zkv::repository
