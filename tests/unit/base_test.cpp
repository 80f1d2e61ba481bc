// The base room: errors with remedies, secret memory, text codecs, files that are never half-written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "base/encoding.h"
#include "base/file.h"
#include "base/plain_text.h"

namespace zkv {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  Files() {
    std::string name = (fs::temp_directory_path() / "zkv-base-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Files() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string text(const std::string& name) const {
    const auto bytes = read_file(folder_ / name, 1000);
    return bytes ? std::string(bytes->begin(), bytes->end()) : bytes.error().message();
  }
  [[nodiscard]] long entries() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }

  fs::path folder_;
};

Result<int> half_of(int number) {
  if (number % 2 != 0) return Error::invalid("odd").remedy("give an even number");
  return number / 2;
}

Result<int> quarter_of(int number) {
  ZKV_TRY(const int half, half_of(number));
  return half_of(half);
}

TEST(Errors, TravelUpWithTheirRemedy) {
  const auto quarter = quarter_of(6);
  ASSERT_FALSE(quarter);
  EXPECT_EQ(quarter.error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(quarter.error().remedy(), "give an even number");
  EXPECT_EQ(quarter_of(8).value(), 2);
}

TEST(Errors, ContextComesBeforeTheMessage) {
  EXPECT_EQ(Error::invalid("odd").context("number 3").message(), "number 3: odd");
}

TEST(SecretMemory, ACopyIsEqualAndItsOwn) {
  auto original = SecretBytes::copy_of("hunter2");
  auto copy = original.clone();
  EXPECT_TRUE(equal_in_constant_time(original.span(), copy.span()));
  copy.data()[0] = 'x';
  EXPECT_EQ(original.view(), "hunter2");
}

TEST(SecretMemory, MovedFromIsEmpty) {
  auto first = SecretBytes::copy_of("abc");
  const auto second = std::move(first);
  EXPECT_EQ(first.size(), 0U);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.view(), "abc");
}

TEST(SecretMemory, ABuilderGrowsBeyondItsFirstBuffer) {
  SecretBuilder builder;
  const std::string block(200, 'a');
  builder.append(block);
  builder.append(block);
  builder.push_back('b');
  EXPECT_EQ(builder.take().view(), block + block + "b");
  EXPECT_EQ(builder.take().size(), 0U);
}

TEST(Encoding, Base64UsesTheVariantItIsToldTo) {
  const Bytes bytes{0xfb, 0xff, 0xfe, 0x01};
  EXPECT_EQ(to_base64(bytes, Base64::kStandard), "+//+AQ==");
  EXPECT_EQ(to_base64(bytes, Base64::kUrl), "-__-AQ==");
  EXPECT_EQ(to_base64(bytes, Base64::kUrlNoPadding), "-__-AQ");
  EXPECT_EQ(from_base64("-__-AQ==", Base64::kUrl).value(), bytes);
  EXPECT_EQ(to_base64_secret(bytes, Base64::kUrl).view(), "-__-AQ==");
}

TEST(Encoding, Base64OfAnotherVariantIsRefused) {
  EXPECT_FALSE(from_base64("+//+AQ==", Base64::kUrl));
  EXPECT_FALSE(from_base64("-__-AQ", Base64::kUrl));
  EXPECT_FALSE(from_base64("-__-AQ== ", Base64::kUrl));
  EXPECT_FALSE(from_base64_secret("-__-A", Base64::kUrl));
}

TEST(Encoding, Base64PastAsciiIsRefused) {
  constexpr std::string_view kDigits = "\xaf\xbb\xbe\xcf";
  EXPECT_FALSE(from_base64(kDigits, Base64::kUrlNoPadding));
  EXPECT_FALSE(from_base64_secret(kDigits, Base64::kUrlNoPadding));
}

TEST(Encoding, HexIsCheckedForLengthAndDigits) {
  EXPECT_EQ(from_hex("00fF").value(), (Bytes{0, 255}));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_EQ(to_hex(Bytes{0, 255}), "00ff");
}

TEST_F(Files, AreReplacedAndThePreviousOneKept) {
  ASSERT_TRUE(replace_file(folder_ / "a", bytes_of("one"), {.previous = folder_ / "a.previous"}));
  ASSERT_TRUE(replace_file(folder_ / "a", bytes_of("two"), {.previous = folder_ / "a.previous"}));
  ASSERT_TRUE(replace_file(folder_ / "a", bytes_of("three"), {.previous = folder_ / "a.previous"}));
  EXPECT_EQ(text("a"), "three");
  EXPECT_EQ(text("a.previous"), "two");
  EXPECT_EQ(entries(), 2);
}

TEST_F(Files, GetTheModeAskedForWhateverTheUmask) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(replace_file(folder_ / "a", bytes_of("x")));
  ::umask(before);
  EXPECT_EQ(fs::status(folder_ / "a").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Files, CreatedOnlyOnce) {
  ASSERT_TRUE(create_file(folder_ / "a", bytes_of("one")));
  const auto again = create_file(folder_ / "a", bytes_of("two"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind(), ErrorKind::kExists);
  EXPECT_EQ(text("a"), "one");
  EXPECT_EQ(entries(), 1);
}

TEST_F(Files, ALinkIsFollowedNotReplaced) {
  fs::create_symlink(folder_ / "real", folder_ / "link");
  ASSERT_TRUE(replace_file(folder_ / "real", bytes_of("one")));
  ASSERT_TRUE(replace_file(folder_ / "link", bytes_of("two")));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(text("real"), "two");
}

TEST_F(Files, TooLongOrMissingIsSaid) {
  ASSERT_TRUE(replace_file(folder_ / "a", bytes_of("12345")));
  EXPECT_EQ(read_file(folder_ / "a", 4).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(read_file(folder_ / "b", 4).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(read_secret_file(folder_ / "a", 5)->view(), "12345");
  EXPECT_EQ(read_secret_file(folder_, 5).error().kind(), ErrorKind::kInvalid);
}

TEST_F(Files, AFailedReplacementLeavesTheOldFile) {
  ASSERT_TRUE(replace_file(folder_ / "a", bytes_of("old")));
  const auto result = replace_file(folder_ / "missing" / "a", bytes_of("new"));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), testing::HasSubstr("No such file"));
  EXPECT_EQ(text("a"), "old");
}

TEST_F(Files, WhatReplacementsLeftThatWereCutOffIsRemovedAndNothingElse) {
  const std::vector<std::string> left{".a.0123456789abcdef.tmp", "a.previous.0123456789abcdef.tmp"};
  const std::vector<std::string> others{"a", ".b.0123456789abcdef.tmp", ".a.0123456789abcdeg.tmp",
                                        ".a.0123456789abcdef.tmp.1", ".a.0123.tmp"};
  for (const auto& name : left) ASSERT_TRUE(create_file(folder_ / name, bytes_of("x")));
  for (const auto& name : others) ASSERT_TRUE(create_file(folder_ / name, bytes_of("x")));
  remove_leftovers(folder_ / "a");
  for (const auto& name : left) EXPECT_FALSE(fs::exists(folder_ / name)) << name;
  for (const auto& name : others) EXPECT_TRUE(fs::exists(folder_ / name)) << name;
}

TEST(PlainText, KeepsWhatPeopleRead) {
  EXPECT_EQ(plain_text("tank/home über 東京 \u00e9"), "tank/home über 東京 \u00e9");
  EXPECT_EQ(plain_text(""), "");
}

TEST(PlainText, ReplacesWhatSteersOrDisguises) {
  EXPECT_EQ(plain_text("a\x1b[31mb\nc\x7f"), "a?[31mb?c?");
  EXPECT_EQ(plain_text("\xc2\x9b"
                       "31m"),
            "?31m");
  EXPECT_EQ(plain_text("good\u202elive"), "good?live");
  EXPECT_EQ(plain_text("a\u200bb\ufeffc\u2066d"), "a?b?c?d");
}

TEST(PlainText, EscapesTheSameInJson) {
  EXPECT_EQ(plain_json(R"({"über":"東京\u001b"})"), R"({"über":"東京\u001b"})");
  EXPECT_EQ(plain_json("[\"\xc2\x9b\x7f\u202e\"]"), R"(["\u009b\u007f\u202e"])");
  EXPECT_EQ(plain_json("\U000e0041"), R"(\udb40\udc41)");
  EXPECT_EQ(plain_json("\xff"), R"(\ufffd)");
}

TEST(PlainText, ReplacesBytesThatAreNoUtf8OneByOne) {
  EXPECT_EQ(plain_text("\xff\xc0\xaf"), "???");
  EXPECT_EQ(plain_text("\xe2\x80"), "??");
  EXPECT_EQ(plain_text("\xed\xa0\x80"), "???");
  EXPECT_EQ(plain_text("\xf4\x90\x80\x80"), "????");
}

}  // namespace
}  // namespace zkv
