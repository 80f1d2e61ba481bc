// Hostile files: every changed bit, every truncation, forged lengths, unbearable costs, JSON that is none.
// Nothing opens, nothing crashes.
#include <gmock/gmock.h>

#include "crypto/fernet.h"
#include "repository/json_text.h"
#include "repository/seed_file.h"
#include "repository_world.h"

namespace zkv::repository {
namespace {

using testing::AnyOf;
using testing::ElementsAre;

class HostileFile : public RepositoryFiles {
 protected:
  void make_filled(Format format) const {
    make(format);
    ASSERT_TRUE(add("tank/a", "one"));
    ASSERT_TRUE(add("tank/b", "two"));
  }
  [[nodiscard]] ErrorKind refusal_of(const Bytes& file) const {
    const auto opened = open_version2(file, key_);
    return opened ? ErrorKind::kInternal : opened.error().kind();
  }
};

const auto kRefused = AnyOf(ErrorKind::kCorrupt, ErrorKind::kWrongKey, ErrorKind::kUnsupported);

TEST_F(HostileFile, AFlippedBitAnywhereInVersion2DoesNotOpen) {
  make_filled(Format::kVersion2);
  ASSERT_TRUE(
      add_slot(path_, key_, {.type = SlotType::kClassic, .label = "vault", .secret = new_key(), .cost = {}}));
  const Bytes sound = bytes(path_);
  ASSERT_TRUE(open_version2(sound, key_));
  for (std::size_t bit = 0; bit < 8 * sound.size(); ++bit) {
    Bytes changed = sound;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_THAT(refusal_of(changed), kRefused) << "byte " << bit / 8 << ", bit " << bit % 8;
  }
}

TEST_F(HostileFile, AFlippedBitInAPassphraseSlotDoesNotOpen) {
  make_filled(Format::kVersion2);
  const auto passphrase = SecretBytes::copy_of("correct horse");
  ASSERT_TRUE(
      add_slot(path_, key_,
               {.type = SlotType::kPassphrase, .label = {}, .secret = passphrase.clone(), .cost = kCheap}));
  ASSERT_TRUE(remove_slot(path_, key_, 1, false));
  const Bytes sound = bytes(path_);
  ASSERT_TRUE(open_version2(sound, passphrase));
  for (std::size_t place = kHeaderSize; place < kHeaderSize + 140; ++place) {
    Bytes changed = sound;
    changed[place] ^= 0x20;
    ASSERT_FALSE(open_version2(changed, passphrase)) << "byte " << place;
  }
}

TEST_F(HostileFile, AVersion2FileCutOffAnywhereDoesNotOpen) {
  make_filled(Format::kVersion2);
  const Bytes sound = bytes(path_);
  for (std::size_t size = 0; size < sound.size(); ++size) {
    ASSERT_THAT(refusal_of(Bytes(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(size))), kRefused)
        << size;
  }
}

TEST_F(HostileFile, BytesAfterTheEndDoNotOpen) {
  make_filled(Format::kVersion2);
  Bytes longer = bytes(path_);
  longer.push_back(0);
  EXPECT_EQ(refusal_of(longer), ErrorKind::kCorrupt);
}

TEST_F(HostileFile, SlotsTakenFromAnotherRepositoryDoNotOpen) {
  make_filled(Format::kVersion2);
  const auto other_path = folder_ / "other";
  ASSERT_TRUE(create(other_path, Format::kVersion2, key_, false));
  Bytes mixed = bytes(path_);
  const Bytes other = bytes(other_path);
  std::copy_n(other.begin() + kHeaderSize, 92, mixed.begin() + kHeaderSize);
  EXPECT_THAT(refusal_of(mixed), kRefused);
}

TEST_F(HostileFile, ALaterFormatVersionIsSaidToBeOne) {
  make_filled(Format::kVersion2);
  Bytes later = bytes(path_);
  later[8] = 3;
  ASSERT_TRUE(replace_file(path_, later));
  EXPECT_EQ(format_of(path_).error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(open(path_, key_).error().kind(), ErrorKind::kUnsupported);
}

TEST_F(HostileFile, DamageAfterTheSlotOpenedIsToldApartFromAWrongKey) {
  make_filled(Format::kVersion2);
  Bytes damaged = bytes(path_);
  damaged.back() ^= 1;
  EXPECT_EQ(refusal_of(damaged), ErrorKind::kCorrupt);
}

TEST_F(HostileFile, APassphraseCostThatWouldEatTheMachineIsNotPaid) {
  make(Format::kVersion2);
  auto repository = open_version2(bytes(path_), key_);
  ASSERT_TRUE(repository);
  Slot& slot = repository->outside.slots.front();
  slot.type = SlotType::kPassphrase;
  const auto with_cost = [&](std::uint32_t passes, std::uint32_t memory_kib) {
    slot.parameters.clear();
    append_record(slot.parameters, 1, Bytes(16, 0));
    append_record(slot.parameters, 2, to_little_endian(passes));
    append_record(slot.parameters, 3, to_little_endian(memory_kib));
    return open_version2(write_version2(*repository), SecretBytes::copy_of("x")).error().kind();
  };
  EXPECT_EQ(with_cost(1, 0xffffffff), ErrorKind::kCorrupt);
  EXPECT_EQ(with_cost(0xffffffff, 64), ErrorKind::kCorrupt);
  EXPECT_EQ(with_cost(64, 1024 * 1024), ErrorKind::kCorrupt);
  EXPECT_EQ(with_cost(0, 64), ErrorKind::kCorrupt);
  EXPECT_EQ(with_cost(1, 64), ErrorKind::kWrongKey);
}

TEST_F(HostileFile, GarbageIsNoRepository) {
  for (const auto* text :
       {"", "\n", "hello", "{\"a\": \"b\"}", "\x89ZKV", "\x89ZKV\r\n\x1a\n", "gAAAAA", "gAAAAA=="}) {
    ASSERT_TRUE(replace_file(path_, bytes_of(text)));
    EXPECT_FALSE(open(path_, key_)) << text;
  }
}

TEST_F(HostileFile, AnOversizedFileIsNotRead) {
  ASSERT_TRUE(replace_file(path_, Bytes(std::size_t{17} * 1024 * 1024, 'g')));
  EXPECT_EQ(open(path_, key_).error().kind(), ErrorKind::kInvalid);
}

TEST_F(HostileFile, AChangedOrCutOffSeedFileDoesNotOpen) {
  make_filled(Format::kSeed);
  const Bytes sound = bytes(path_);
  for (std::size_t place = 0; place < sound.size(); ++place) {
    Bytes changed = sound;
    changed[place] = changed[place] == 'A' ? 'B' : 'A';
    ASSERT_FALSE(open_seed_file(changed, key_)) << place;
    ASSERT_FALSE(open_seed_file(std::span(sound).first(place), key_)) << place;
  }
}

TEST_F(HostileFile, RandomBytesInsideASoundTokenDoNotCrashTheReader) {
  const auto key = crypto::fernet_key_from_text(key_.view());
  for (const auto* text : {"",
                           "null",
                           "[]",
                           "{",
                           "{\"",
                           "{\"a",
                           "{\"a\"",
                           "{\"a\":",
                           "{\"a\":1}",
                           "{\"a\":\"b\"",
                           "{\"a\":\"b\",}",
                           "{\"a\":\"b\"}x",
                           "{\"a\":{}}",
                           "{\"a\":\"\\",
                           "{\"a\":\"\\u",
                           "{\"a\":\"\\u12",
                           "{\"a\":\"\\ud800\"}",
                           "{\"a\":\"\\ud800\\",
                           "{\"a\":\"\\ud800\\u0041\"}",
                           "{\"a\":\"\\udc00\"}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"\xff\"}",
                           "{\"a\":\"\xc3\"}",
                           "{\"a\":\"\xed\xa0\x80\"}",
                           "{'a':'b'}"}) {
    const std::string token = crypto::fernet_seal(key->span(), bytes_of(text), now());
    EXPECT_EQ(open_seed_file(bytes_of(token), key_).error().kind(), ErrorKind::kCorrupt) << text;
  }
}

std::vector<std::string> members(std::string text) {
  auto secret = SecretBytes::copy_of(text);
  std::vector<std::string> all;
  const auto read =
      read_json_object(secret.span(), [&](std::string_view name, std::span<const std::uint8_t> value) {
        all.push_back(std::string(name) + "=" + std::string(value.begin(), value.end()));
      });
  return read ? all : std::vector<std::string>{"refused"};
}

TEST(JsonText, ReadsAllEscapes) {
  EXPECT_THAT(members(R"( { "\u0061\"" : "\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00" ,"b":""} )"),
              ElementsAre("a\"=\\/\b\f\n\r\té€😀", "b="));
  EXPECT_THAT(members("{}"), ElementsAre());
}

TEST(JsonText, LooksAtEachByteWhereverItStands) {
  const std::string plain(19, 'a');
  for (int byte = 0; byte < 0x100; ++byte) {
    const bool stands_for_itself = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
    for (std::size_t place = 0; place < plain.size(); ++place) {
      std::string value = plain;
      value[place] = static_cast<char>(byte);
      const auto expected = stands_for_itself ? "n=" + value : std::string("refused");
      EXPECT_THAT(members("{\"n\":\"" + value + "\"}"), ElementsAre(expected)) << byte << " at " << place;
    }
  }
}

TEST(JsonText, LeavesOfAStringNothingBesideWhatItReads) {
  auto text = SecretBytes::copy_of(R"({"a": "\u0073\u0065cret", "b\t": "plain"})");
  std::span<const std::uint8_t> key;
  ASSERT_TRUE(read_json_object(text.span(), [&](std::string_view name, std::span<const std::uint8_t> value) {
    if (name == "a") key = value;
  }));
  ASSERT_EQ(std::string(key.begin(), key.end()), "secret");
  EXPECT_EQ(text.view().find("cret"), text.view().rfind("cret"));
  EXPECT_EQ(text.view().find("0065"), std::string_view::npos);
}

TEST(JsonText, BytesThatAreNoUtf8ComeBackThroughPythonsSurrogates) {
  EXPECT_THAT(members(R"({"a": "\udcff\udc80"})"), ElementsAre("a=\xff\x80"));
  SecretBuilder out;
  append_json_string(out, bytes_of("\xff\x80"));
  EXPECT_EQ(out.take().view(), R"("\udcff\udc80")");
}

TEST_F(RepositoryFiles, ASeedFileThatAnotherProgramFilledWithBytesCanStillBeChanged) {
  const auto key = crypto::fernet_key_from_text(key_.view());
  const std::string token = crypto::fernet_seal(key->span(), bytes_of(R"({"a": "\udcff", "e": ""})"), now());
  ASSERT_TRUE(replace_file(path_, bytes_of(token)));
  ASSERT_TRUE(add("b", "two"));
  EXPECT_THAT(contents(), ElementsAre("a=\xff", "e=", "b=two"));
}

TEST_F(RepositoryFiles, ANameThatComesTwiceHasItsLastKeyAsInPython) {
  const auto key = crypto::fernet_key_from_text(key_.view());
  const std::string token =
      crypto::fernet_seal(key->span(), bytes_of(R"({"a": "1", "b": "2", "a": "3"})"), now());
  ASSERT_TRUE(replace_file(path_, bytes_of(token)));
  EXPECT_THAT(contents(), ElementsAre("a=3", "b=2"));
}

}  // namespace
}  // namespace zkv::repository
