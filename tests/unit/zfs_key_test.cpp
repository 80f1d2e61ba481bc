// Keys in the forms of ZFS, and the tables of zfs(8), read strictly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/encoding.h"
#include "unlock/zfs_key.h"
#include "unlock/zfs_properties.h"
#include "unlock_world.h"

namespace zkv::unlock {
namespace {

using test::kHexA;
using test::kPassphraseKey;
using test::kRaw;
using testing::HasSubstr;
using testing::Not;

std::string hex_of(const Result<SecretBytes>& key) {
  return key ? to_hex(key->span()) : key.error().message();
}

std::string derived(std::string_view key, const KeyRule& rule) {
  return hex_of(derive_wrapping_key(bytes_of(key), rule));
}

TEST(ZfsKey, ARawKeyOf32BytesIsTakenAsItIs) {
  EXPECT_EQ(derived(kRaw, {.format = KeyFormat::kRaw}), to_hex(bytes_of(kRaw)));
}

TEST(ZfsKey, ARawKeyIsTakenAsHexOrBase64TextToo) {
  const std::string hex = to_hex(bytes_of(kRaw));
  const KeyRule raw{.format = KeyFormat::kRaw};
  EXPECT_EQ(derived(hex, raw), hex);
  EXPECT_EQ(derived(hex + "\n", raw), hex);
  const std::vector<std::uint8_t> bytes(32, 0xfb);  // its base64 differs between the alphabets
  EXPECT_EQ(derived(to_base64(bytes, Base64::kStandard), raw), to_hex(bytes));
  EXPECT_EQ(derived(to_base64(bytes, Base64::kUrl), raw), to_hex(bytes));
  EXPECT_EQ(derived(to_base64(bytes, Base64::kUrlNoPadding), raw), to_hex(bytes));
}

TEST(ZfsKey, ARawKeyOfAnotherLengthIsRefusedWithoutShowingIt) {
  const auto key =
      derive_wrapping_key(bytes_of("thirty-three bytes, one too many!"), {.format = KeyFormat::kRaw});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(key.error().message(), Not(HasSubstr("thirty")));
}

TEST(ZfsKey, AHexKeyIs64DigitsWithOrWithoutANewline) {
  const KeyRule hex{.format = KeyFormat::kHex};
  EXPECT_EQ(derived(kHexA, hex), kHexA);
  EXPECT_EQ(derived(kHexA + "\n", hex), kHexA);
  EXPECT_FALSE(derive_wrapping_key(bytes_of(kHexA.substr(1)), hex));
  EXPECT_FALSE(derive_wrapping_key(bytes_of("x" + kHexA.substr(1)), hex));
  EXPECT_FALSE(derive_wrapping_key(bytes_of(kHexA + "\n\n"), hex));
}

constexpr KeyRule kPassphraseRule{
    .format = KeyFormat::kPassphrase, .iterations = 100'000, .salt = 81'985'529'216'486'895};

TEST(ZfsKey, APassphraseIsStretchedAsZfsDoesIt) {
  EXPECT_EQ(derived("correct horse", kPassphraseRule), kPassphraseKey);
  KeyRule ordinary = kPassphraseRule;
  ordinary.iterations = 350'000;
  EXPECT_EQ(derived("correct horse", ordinary),
            "b1e28593f53111314ef59c7833c38e1f6045e05fac89864f80573043d62a205f");
}

TEST(ZfsKey, OnlyTheFirstLineOfAKeyFileIsThePassphrase) {
  EXPECT_EQ(derived("correct horse\n", kPassphraseRule), kPassphraseKey);
  EXPECT_EQ(derived("correct horse\nbattery", kPassphraseRule), kPassphraseKey);
}

TEST(ZfsKey, APassphraseHas8To512Bytes) {
  EXPECT_FALSE(derive_wrapping_key(bytes_of("7 bytes"), kPassphraseRule));
  EXPECT_FALSE(derive_wrapping_key(bytes_of(std::string(513, 'x')), kPassphraseRule));
  EXPECT_TRUE(derive_wrapping_key(bytes_of("8 bytes!"), kPassphraseRule));
  EXPECT_TRUE(derive_wrapping_key(bytes_of(std::string(512, 'x') + "\n"), kPassphraseRule));
  EXPECT_FALSE(derive_wrapping_key(bytes_of(std::string_view("with a \0 zero", 13)), kPassphraseRule));
}

TEST(ZfsKey, AWeakenedIterationCountIsRefused) {
  KeyRule weak = kPassphraseRule;
  weak.iterations = 99'999;
  EXPECT_FALSE(derive_wrapping_key(bytes_of("correct horse"), weak));
  weak.iterations = std::uint64_t{1} << 40;
  EXPECT_FALSE(derive_wrapping_key(bytes_of("correct horse"), weak));
}

TEST(ZfsKey, ThePromptIsAnsweredInTheVolumesOwnForm) {
  EXPECT_EQ(hex_of(prompt_answer(bytes_of(to_hex(bytes_of(kRaw))), KeyFormat::kRaw)), to_hex(bytes_of(kRaw)));
  EXPECT_EQ(hex_of(prompt_answer(bytes_of(kHexA), KeyFormat::kHex)), to_hex(bytes_of(kHexA + "\n")));
  EXPECT_EQ(hex_of(prompt_answer(bytes_of("correct horse\n"), KeyFormat::kPassphrase)),
            to_hex(bytes_of("correct horse\n")));
  EXPECT_FALSE(prompt_answer(bytes_of("anything at all"), KeyFormat::kNone));
}

// --- what zfs(8) says ---

using Properties = std::map<std::string, std::string>;

/// As `table` prints them: sorted by name.
const std::vector<std::string> kOrder{
    "canmount",   "encryptionroot", "keyformat",  "keylocation",          "keystatus", "mounted",
    "mountpoint", "pbkdf2iters",    "pbkdf2salt", "receive_resume_token", "type",      "zoned"};

std::string table(const std::string& name, const Properties& changes = {}) {
  Properties properties{{"type", "filesystem"},    {"keyformat", "hex"},   {"keystatus", "available"},
                        {"encryptionroot", name},  {"pbkdf2iters", "0"},   {"pbkdf2salt", "-"},
                        {"mounted", "yes"},        {"mountpoint", "/mnt"}, {"canmount", "on"},
                        {"keylocation", "prompt"}, {"zoned", "off"},       {"receive_resume_token", "-"}};
  for (const auto& [property, value] : changes) properties[property] = value;
  std::string text;
  for (const auto& [property, value] : properties) text += name + "\t" + property + "\t" + value + "\n";
  return text;
}

TEST(ZfsProperties, AreReadAsZfsPrintsThem) {
  const auto datasets = parse_datasets(table("tank/a", {{"pbkdf2iters", "350000"},
                                                        {"pbkdf2salt", "18446744073709551615"},
                                                        {"mountpoint", "/with\ttab"}}),
                                       kOrder);
  ASSERT_TRUE(datasets) << datasets.error().message();
  const Dataset& dataset = datasets->at("tank/a");
  EXPECT_TRUE(dataset.is_key_loaded && dataset.is_mounted && dataset.is_filesystem && dataset.has_own_key());
  EXPECT_EQ(dataset.key.iterations, 350'000U);
  EXPECT_EQ(dataset.key.salt, UINT64_MAX);
  EXPECT_EQ(dataset.mountpoint, "/with\ttab");
}

/// What is not understood of tank/a; what is read of tank/b and tank/0, beside it, must not suffer.
std::string unclear_in(const std::string& lines) {
  const auto others = [](const std::string& name) { return table(name, {{"keystatus", "unavailable"}}); };
  const auto datasets = parse_datasets(others("tank/0") + lines + others("tank/b"), kOrder);
  if (!datasets || !datasets->contains("tank/a")) return "all of it";
  for (const auto* name : {"tank/0", "tank/b"}) {
    const auto other = datasets->find(name);
    if (other == datasets->end()) return "others";
    EXPECT_EQ(other->second.unclear, "") << name;
    EXPECT_FALSE(other->second.is_key_loaded) << name;
    EXPECT_EQ(other->second.mountpoint, "/mnt") << name;
  }
  const auto& dataset = datasets->at("tank/a");
  EXPECT_EQ(dataset.has_own_key(), dataset.unclear.empty());
  return dataset.unclear;
}

TEST(ZfsProperties, AValueThatZfsNeverPrintsMakesItsDatasetUnclear) {
  EXPECT_EQ(unclear_in(table("tank/a")), "");
  for (const auto& [property, value] : Properties{{"keyformat", "rot13"},
                                                  {"keystatus", "maybe"},
                                                  {"pbkdf2iters", "350K"},
                                                  {"pbkdf2salt", "-1"},
                                                  {"mounted", ""},
                                                  {"mountpoint", "relative"},
                                                  {"encryptionroot", "-x"},
                                                  {"type", "snapshot"},
                                                  {"canmount", "perhaps"}}) {
    EXPECT_EQ(unclear_in(table("tank/a", {{property, value}})), "tank/a\t" + property + "\t" + value);
  }
  EXPECT_EQ(unclear_in(table("tank/a", {{"compression", "lz4"}})), "tank/a\tcompression\tlz4");
  EXPECT_FALSE(parse_datasets("two\twords\n", kOrder));
  EXPECT_FALSE(parse_datasets("-o\ttype\tfilesystem\n", kOrder));
}

/// A block that its owner wrote: his own rest first, then all of others, in the order of the manual.
std::string forged(const std::vector<std::string>& names) {
  std::string text = "/x";
  for (int times = 0; times < 12; ++times) {
    for (const auto& property :
         {"canmount\ton", "keylocation\tnone", "zoned\toff", "receive_resume_token\t-"})
      text += std::string("\ntank/a\t") + property;
  }
  for (const auto& name : names) {
    for (const auto& line :
         {"type\tfilesystem", "keyformat\thex", "keystatus\tavailable", "encryptionroot\ttank/b",
          "pbkdf2iters\t0", "pbkdf2salt\t-", "mounted\tyes", "mountpoint\t/etc", "canmount\ton",
          "keylocation\tprompt", "zoned\toff", "receive_resume_token\t-"})
      text += "\n" + name + "\t" + line;
  }
  return text;
}

TEST(ZfsProperties, AMountpointWithLineBreaksSaysNothingOfOthers) {
  const auto with = [](const std::string& mountpoint) {
    return unclear_in(table("tank/a", {{"mountpoint", mountpoint}}));
  };
  EXPECT_EQ(with("/x\ntank/b\tkeystatus\tavailable"), "tank/b\tkeystatus\tavailable");
  EXPECT_EQ(with("/x\nanything"), "anything");
  EXPECT_EQ(with("/x\ntank/a\tkeystatus\tavailable"), "tank/a\tkeystatus\tavailable");
  EXPECT_EQ(with(forged({"tank/0", "tank/b", "tank/fake"})), "tank/a\tcanmount\ton");
  for (int tries = 0; tries < 100; ++tries) {
    const auto order = shuffled_properties();
    std::string lines;
    for (const auto* name : {"tank/0", "tank/a", "tank/b"}) {
      for (const auto& property : order) {
        const bool is_forged = property == "mountpoint" && std::string_view(name) == "tank/a";
        std::string value = property == "type" ? "filesystem" : property == "mountpoint" ? "/mnt" : "-";
        if (is_forged) value = forged({"tank/0", "tank/b"});
        lines += std::string(name).append("\t").append(property).append("\t").append(value).append("\n");
      }
    }
    const auto datasets = parse_datasets(lines, order);
    ASSERT_TRUE(datasets);
    for (const auto* name : {"tank/0", "tank/b"}) {
      EXPECT_EQ(datasets->at(name).unclear, "");
      EXPECT_EQ(datasets->at(name).mountpoint, "/mnt");
      EXPECT_FALSE(datasets->at(name).is_key_loaded);
    }
    EXPECT_NE(datasets->at("tank/a").unclear, "");
  }
}

TEST(ZfsProperties, AreAskedForInAnOrderThatIsAnotherEachTime) {
  std::set<std::vector<std::string>> orders;
  for (int i = 0; i < 20; ++i) {
    auto order = shuffled_properties();
    orders.insert(order);
    std::ranges::sort(order);
    EXPECT_EQ(order, kOrder);
  }
  EXPECT_EQ(orders.size(), 20U);
}

TEST(ZfsProperties, ADatasetThatComesTwiceOrWithAPropertyMissingIsUnclear) {
  const auto datasets = parse_datasets(table("tank/b") + table("tank/a") + table("tank/b"), kOrder);
  ASSERT_TRUE(datasets);
  EXPECT_EQ(datasets->at("tank/b").unclear, "it comes twice");
  EXPECT_EQ(datasets->at("tank/a").unclear, "");
  EXPECT_EQ(parse_datasets("tank/a\tcanmount\ton\n", kOrder)->at("tank/a").unclear, "properties are missing");
}

TEST(ZfsProperties, NamesThatZfsCannotHaveAreKeptOffItsCommandLine) {
  EXPECT_TRUE(is_dataset_name("tank"));
  EXPECT_TRUE(is_dataset_name("tank/home/anna b/2024-01:x_y.z"));
  EXPECT_FALSE(is_dataset_name(""));
  EXPECT_FALSE(is_dataset_name("-o"));
  EXPECT_FALSE(is_dataset_name("--version"));
  EXPECT_FALSE(is_dataset_name("tank/a@snapshot"));
  EXPECT_FALSE(is_dataset_name("tank//a"));
  EXPECT_FALSE(is_dataset_name("tank/"));
  EXPECT_FALSE(is_dataset_name("tank/a;reboot"));
  EXPECT_FALSE(is_dataset_name(std::string(256, 'x')));
}

TEST(ZfsProperties, OnlyMissingDatasetsAreAnExpectedComplaint) {
  const auto missing = parse_missing("cannot open 'tank/x': dataset does not exist\n");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->at("tank/x"), "dataset does not exist");
  EXPECT_FALSE(parse_missing("The ZFS modules are not loaded.\nTry running '/sbin/modprobe zfs' as root.\n"));
}

}  // namespace
}  // namespace zkv::unlock
