// The words of recovery kits: SLIP-0039's own vectors, and what becomes of every kind of mistake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <sstream>

#include "base/encoding.h"
#include "crypto/random.h"
#include "recovery/field.h"
#include "recovery/part.h"
#include "recovery/split.h"
#include "recovery/word_list.h"

namespace zkv::recovery {
namespace {

using testing::HasSubstr;

boost::json::array vectors() {
  const std::ifstream file(ZKV_VECTORS "/slip39/vectors.json");
  std::stringstream text;
  text << file.rdbuf();
  return boost::json::parse(text.str()).as_array();
}

Result<SecretBytes> joined(const boost::json::array& texts, std::string_view passphrase = {}) {
  std::vector<Part> parts;
  for (const auto& text : texts) {
    ZKV_TRY(auto part, read_part(std::string_view(text.as_string())));
    parts.push_back(std::move(part));
  }
  return join(parts, passphrase);
}

std::string outcome_of(const boost::json::object& vector) {
  const auto secret = joined(vector.at("parts").as_array(), "TREZOR");
  return secret ? to_hex(secret->span()) : "";
}

bool has_groups(const boost::json::object& vector) {
  const auto secret = joined(vector.at("parts").as_array(), "TREZOR");
  return !secret && secret.error().kind() == ErrorKind::kUnsupported;
}

TEST(Slip39, EachOfItsVectorsInOneGroupHasTheStatedOutcome) {
  std::size_t in_groups = 0;
  for (const auto& value : vectors()) {
    const auto& vector = value.as_object();
    if (has_groups(vector)) {
      ++in_groups;
      continue;
    }
    EXPECT_EQ(outcome_of(vector), std::string_view(vector.at("secret").as_string())) << vector.at("what");
  }
  EXPECT_EQ(vectors().size(), 45U);
  EXPECT_EQ(in_groups, 18U);
}

SecretBytes key() { return crypto::random_secret(32); }

/// A fresh kit as people have it.
std::vector<std::string> kit(const SecretBytes& secret, unsigned threshold, unsigned parts) {
  std::vector<std::string> texts;
  const auto made = split(secret, {threshold, parts}).value();
  for (const auto& part : made) {
    texts.emplace_back(write_part(part).view());
  }
  return texts;
}

Result<SecretBytes> join_texts(const std::vector<std::string>& texts) {
  std::vector<Part> parts;
  for (const auto& text : texts) {
    ZKV_TRY(auto part, read_part(text));
    parts.push_back(std::move(part));
  }
  return join(parts);
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

std::string text_of(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string another_word(const std::string& than) { return than == "academic" ? "zero" : "academic"; }

TEST(RecoveryKit, WholeHas33WordsAndComesBack) {
  const auto secret = key();
  const auto texts = kit(secret, 1, 1);
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_EQ(words_of(texts[0]).size(), kPartWords);
  EXPECT_TRUE(equal_in_constant_time(join_texts(texts).value().span(), secret.span()));
}

TEST(RecoveryKit, OpensWithAnyThreeOfItsFiveParts) {
  const auto secret = key();
  const auto texts = kit(secret, 3, 5);
  ASSERT_EQ(texts.size(), 5U);
  std::size_t opened = 0;
  for (std::size_t a = 0; a < 5; ++a) {
    for (std::size_t b = a + 1; b < 5; ++b) {
      for (std::size_t c = b + 1; c < 5; ++c) {
        const auto back = join_texts({texts[c], texts[a], texts[b]});
        ASSERT_TRUE(back);
        opened += equal_in_constant_time(back->span(), secret.span()) ? 1U : 0U;
      }
    }
  }
  EXPECT_EQ(opened, 10U);
}

TEST(RecoveryKit, CanHaveSixteenPartsAllOfThemNeeded) {
  const auto secret = key();
  auto texts = kit(secret, 16, 16);
  EXPECT_TRUE(equal_in_constant_time(join_texts(texts).value().span(), secret.span()));
  texts.pop_back();
  EXPECT_THAT(join_texts(texts).error().remedy(), HasSubstr("1 more part"));
}

TEST(RecoveryKit, HasSensibleSchemesOnly) {
  EXPECT_FALSE(split(key(), {0, 1}));
  EXPECT_FALSE(split(key(), {4, 3}));
  EXPECT_FALSE(split(key(), {2, 17}));
  EXPECT_THAT(split(key(), {1, 3}).error().message(), HasSubstr("copies"));
}

TEST(RecoveryKit, WithTooFewPartsSaysWhichAreThereAndHowManyLack) {
  const auto texts = kit(key(), 3, 5);
  const auto error = join_texts({texts[3], texts[0]}).error();
  EXPECT_THAT(error.message(), HasSubstr("any 3 parts"));
  EXPECT_THAT(error.message(), HasSubstr("parts 4, 1"));
  EXPECT_EQ(error.remedy(), "1 more part is needed");
}

TEST(RecoveryKit, TellsAPartThatWasGivenTwice) {
  const auto texts = kit(key(), 2, 3);
  EXPECT_EQ(join_texts({texts[1], texts[1]}).error().message(), "part 2 was given twice");
}

TEST(RecoveryKit, TellsAPartOfAnotherKit) {
  const auto ours = kit(key(), 2, 3);
  const auto theirs = kit(key(), 2, 3);
  const auto error = join_texts({ours[0], theirs[1]}).error();
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error.message(), HasSubstr("part 2 is of kit"));
}

TEST(RecoveryKit, NoticesAPartThatWasForged) {
  auto parts = split(key(), {2, 3}).value();
  parts[1].value.data()[7] ^= 1;
  const auto error = join(std::span(parts).first(2)).error();
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr("parts 1, 2"));
}

TEST(RecoveryKit, NoticesAForgedPartBeyondThoseThatAreNeeded) {
  auto parts = split(key(), {2, 3}).value();
  parts[2].value.data()[7] ^= 1;
  EXPECT_EQ(join(parts).error().kind(), ErrorKind::kCorrupt);
}

TEST(RecoveryKit, NamesAWordThatIsNotOnTheList) {
  auto words = words_of(kit(key(), 1, 1)[0]);
  words[16] = "zkvzkv";
  EXPECT_EQ(read_part(text_of(words)).error().message(), "no word of a recovery kit: word 17");
}

TEST(RecoveryKit, NamesTheOneWordThatIsWrongWhereverItStands) {
  const auto right = words_of(kit(key(), 1, 1)[0]);
  for (std::size_t place = 0; place < right.size(); ++place) {
    for (const std::string wrong : {"academic", "zero", "mother"}) {
      if (wrong == right[place]) continue;
      auto words = right;
      words[place] = wrong;
      const auto part = read_part(text_of(words));
      ASSERT_FALSE(part);
      EXPECT_THAT(part.error().message(), HasSubstr("word " + std::to_string(place + 1) + " is not"));
    }
  }
}

TEST(RecoveryKit, NamesTwoNeighboursThatChangedPlaces) {
  auto words = words_of(kit(key(), 1, 1)[0]);
  words[9] = "academic";
  words[10] = "zero";
  ASSERT_FALSE(read_part(text_of(words)));
  auto right = words_of(kit(key(), 2, 2)[1]);
  std::size_t place = 5;
  while (right[place] == right[place + 1]) ++place;
  std::swap(right[place], right[place + 1]);
  EXPECT_THAT(read_part(text_of(right)).error().message(),
              HasSubstr("word " + std::to_string(place + 1) + " and word " + std::to_string(place + 2)));
}

TEST(RecoveryKit, NeverTakesAPartWithThreeWrongWords) {
  const auto right = words_of(kit(key(), 1, 1)[0]);
  for (std::size_t place = 0; place + 2 < right.size(); ++place) {
    auto words = right;
    for (std::size_t i = place; i < place + 3; ++i) words[i] = another_word(right[i]);
    EXPECT_FALSE(read_part(text_of(words)));
  }
}

TEST(RecoveryKit, SaysWhenAWordIsLackingOrTooMany) {
  auto words = words_of(kit(key(), 1, 1)[0]);
  words.push_back(words.front());
  EXPECT_THAT(read_part(text_of(words)).error().message(), HasSubstr("34 words"));
  words.resize(32);
  EXPECT_THAT(read_part(text_of(words)).error().message(), HasSubstr("32 words"));
  words.resize(5'000, "academic");
  EXPECT_THAT(read_part(text_of(words)).error().message(), HasSubstr("5000 words"));
  words.resize(3);
  EXPECT_THAT(read_part(text_of(words)).error().message(), HasSubstr("3 words"));
}

TEST(RecoveryKit, IsReadInAnyCaseFromFourLettersAWord) {
  const auto secret = key();
  auto words = words_of(kit(secret, 1, 1)[0]);
  for (auto& word : words) word.resize(4);
  words[0][0] = static_cast<char>(words[0][0] - 'a' + 'A');
  EXPECT_TRUE(
      equal_in_constant_time(join_texts({"  " + text_of(words) + "\n"}).value().span(), secret.span()));
}

TEST(RecoveryKit, IsToldFromPassphrases) {
  const auto words = words_of(kit(key(), 1, 1)[0]);
  EXPECT_TRUE(looks_like_part(text_of(words)));
  auto mistaken = words;
  for (std::size_t i = 0; i < 8; ++i) mistaken[i] = "xyz";
  EXPECT_TRUE(looks_like_part(text_of(mistaken)));
  EXPECT_FALSE(looks_like_part("correct horse battery staple"));
  EXPECT_FALSE(looks_like_part(text_of({words.begin(), words.begin() + 12})));
  EXPECT_FALSE(
      looks_like_part("a long passphrase of more than twenty words that are all quite common in any text one "
                      "may write but that are not on that list"));
}

TEST(Field, HasAnInverseForAllButZero) {
  EXPECT_EQ(inverse(0), 0);
  for (unsigned element = 1; element < 256; ++element) {
    const auto byte = static_cast<std::uint8_t>(element);
    EXPECT_EQ(multiply(byte, inverse(byte)), 1);
  }
  EXPECT_EQ(multiply(0x57, 0x83), 0xc1);  // FIPS 197, 4.2
}

TEST(WordList, FindsEachWordAndNoOther) {
  for (std::uint16_t number = 0; number < kWords; ++number) {
    SecretBuilder word;
    append_word(word, number);
    EXPECT_EQ(find_word(word.take().view()), number);
  }
  EXPECT_EQ(find_word("aca"), std::nullopt);
  EXPECT_EQ(find_word("acadmic"), std::nullopt);
  EXPECT_EQ(find_word("academics"), std::nullopt);
  EXPECT_EQ(find_word("acad3mic"), std::nullopt);
  EXPECT_EQ(find_word(""), std::nullopt);
}

}  // namespace
}  // namespace zkv::recovery
