// An older repository that was put back, and a damaged one, are noticed by the note beside the file.
#include <gmock/gmock.h>

#include "repository/generation.h"
#include "repository_world.h"

namespace zkv::repository {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

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

/// It may have what is nowhere else.
TEST_F(RepositoryFiles, ANewerPreviousGenerationOutlivesAChangeOfAnOlderFile) {
  make(Format::kVersion2);
  const Bytes first = bytes(path_);
  ASSERT_TRUE(add("a", "one"));
  const Bytes second = bytes(path_);
  ASSERT_TRUE(add("b", "two"));
  ASSERT_TRUE(replace_file(path_, first));
  ASSERT_TRUE(add("c", "three"));
  ASSERT_TRUE(add("d", "four"));
  std::vector<Bytes> kept;
  for (const auto& entry : fs::directory_iterator(path_.parent_path())) {
    if (entry.path().string().starts_with(path_.string() + ".replaced-")) kept.push_back(bytes(entry.path()));
  }
  EXPECT_THAT(kept, testing::ElementsAre(second));
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

/// The directory may be another user's, and root writes the note.
TEST_F(RepositoryFiles, ALinkInThePlaceOfTheNoteLeadsToNoOtherFile) {
  make(Format::kVersion2);
  const fs::path others = path_.string() + ".others";
  ASSERT_TRUE(replace_file(others, bytes_of("important")));
  const fs::path note = path_.string() + ".generation";
  fs::remove(note);
  fs::create_symlink(others, note);
  ASSERT_TRUE(open(path_, key_));
  EXPECT_EQ(bytes(others).size(), std::string_view("important").size());
  EXPECT_FALSE(fs::is_symlink(note));
  EXPECT_TRUE(seen_generation(path_));
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

}  // namespace
}  // namespace zkv::repository
