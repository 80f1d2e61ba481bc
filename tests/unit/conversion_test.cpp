// How a repository of the one format becomes one of the other.
#include <gmock/gmock.h>

#include "repository_world.h"

namespace zkv::repository {
namespace {

using testing::ElementsAre;
namespace fs = std::filesystem;

class Conversion : public RepositoryFiles {
 protected:
  void make_with_two(Format format) const {
    make(format);
    ASSERT_TRUE(add("b", "one"));
    ASSERT_TRUE(add("a", "two"));
  }
};

TEST_F(Conversion, ToVersion2KeepsVolumesOldKeyAndOldFile) {
  make_with_two(Format::kSeed);
  const Bytes old = bytes(path_);
  const auto converted = convert(path_, key_, Format::kVersion2, path_);
  ASSERT_TRUE(converted);
  EXPECT_EQ(format_of(path_).value(), Format::kVersion2);
  EXPECT_THAT(contents(), ElementsAre("b=one", "a=two"));
  EXPECT_THAT(contents(path_, converted->new_key), ElementsAre("b=one", "a=two"));
  EXPECT_EQ(converted->aside, path_.string() + ".seed");
  EXPECT_EQ(bytes(converted->aside), old);
}

TEST_F(Conversion, BackToTheSeedKeepsVolumesKeyAndOldFile) {
  make_with_two(Format::kVersion2);
  const Bytes old = bytes(path_);
  const auto converted = convert(path_, key_, Format::kSeed, path_);
  ASSERT_TRUE(converted);
  EXPECT_TRUE(converted->new_key.empty());
  EXPECT_EQ(format_of(path_).value(), Format::kSeed);
  EXPECT_THAT(contents(), ElementsAre("b=one", "a=two"));
  EXPECT_EQ(bytes(path_.string() + ".v2"), old);
}

TEST_F(Conversion, BackByAPassphraseMakesANewKey) {
  make_with_two(Format::kVersion2);
  const auto passphrase = SecretBytes::copy_of("correct horse");
  ASSERT_TRUE(
      add_slot(path_, key_,
               {.type = SlotType::kPassphrase, .label = {}, .secret = passphrase.clone(), .cost = kCheap}));
  const auto converted = convert(path_, passphrase, Format::kSeed, path_);
  ASSERT_TRUE(converted);
  EXPECT_THAT(contents(path_, converted->new_key), ElementsAre("b=one", "a=two"));
}

TEST_F(Conversion, BackIsRefusedWhereSomethingWouldBeLost) {
  make(Format::kVersion2);
  ASSERT_TRUE(add("raw", "\xff\x01"));
  const Bytes before = bytes(path_);
  EXPECT_EQ(convert(path_, key_, Format::kSeed, path_).error().kind(), ErrorKind::kUnsupported);
  ASSERT_TRUE(edit(path_, key_, [](VolumeKeys& keys) -> Result<> {
    ZKV_CHECK(keys.remove("raw"));
    keys.restore({"other", static_cast<VolumeKind>(2), bytes_of("k"), {}});
    return {};
  }));
  EXPECT_EQ(convert(path_, key_, Format::kSeed, path_).error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(format_of(path_).value(), Format::kVersion2);
  EXPECT_FALSE(fs::exists(path_.string() + ".v2"));
}

TEST_F(Conversion, BackIsRefusedForAVolumeWithSettings) {
  make_with_two(Format::kVersion2);
  ASSERT_TRUE(edit(path_, key_, [](VolumeKeys& keys) { return keys.set_settings("a", {"", "/srv", ""}); }));
  EXPECT_EQ(convert(path_, key_, Format::kSeed, path_).error().kind(), ErrorKind::kUnsupported);
}

TEST_F(Conversion, ToAnotherPlaceLeavesTheOldFileAlone) {
  make_with_two(Format::kSeed);
  const Bytes old = bytes(path_);
  ASSERT_TRUE(convert(path_, key_, Format::kVersion2, folder_ / "new"));
  EXPECT_EQ(bytes(path_), old);
  EXPECT_THAT(contents(folder_ / "new", key_), ElementsAre("b=one", "a=two"));
  EXPECT_EQ(convert(path_, key_, Format::kVersion2, folder_ / "new").error().kind(), ErrorKind::kExists);
}

TEST_F(Conversion, NeedsTheKeyAndAnotherFormat) {
  make_with_two(Format::kSeed);
  EXPECT_EQ(convert(path_, new_key(), Format::kVersion2, path_).error().kind(), ErrorKind::kWrongKey);
  EXPECT_EQ(convert(path_, key_, Format::kSeed, path_).error().kind(), ErrorKind::kInvalid);
}

TEST_F(Conversion, GoesOnAfterBeingKilledBetweenItsTwoSteps) {
  make_with_two(Format::kSeed);
  fs::create_hard_link(path_, path_.string() + ".seed");
  EXPECT_TRUE(convert(path_, key_, Format::kVersion2, path_));
}

TEST_F(Conversion, DoesNotOverwriteAnotherFileThatWasLeftAside) {
  make_with_two(Format::kSeed);
  ASSERT_TRUE(create_file(path_.string() + ".seed", bytes_of("precious")));
  EXPECT_EQ(convert(path_, key_, Format::kVersion2, path_).error().kind(), ErrorKind::kExists);
  EXPECT_EQ(format_of(path_).value(), Format::kSeed);
}

}  // namespace
}  // namespace zkv::repository
