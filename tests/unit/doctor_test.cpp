// What the doctor finds on machines that are made up, one fault each; and that each finding has its page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "doctor_world.h"

namespace zkv::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Doctor, FindsNothingOnAHealthyMachine) { EXPECT_THAT(slugs(healthy()), IsEmpty()); }

TEST(Doctor, FindsAServiceThatDoesNotRunAtBoot) {
  constexpr auto kName = "zfs-keyvault.service";
  EXPECT_THAT(found_after([](Facts& facts) { facts.units.erase(kName); }), ElementsAre("service-missing"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.units[kName].is_masked = true; }),
              ElementsAre("service-masked"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.units[kName].wanted_by.clear(); }),
              ElementsAre("service-disabled"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.kernel_command_line = "quiet zkv=off\n"; }),
              ElementsAre("service-off"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.kernel_command_line = "nozkv=off zkv=offline"; }),
              IsEmpty());
}

TEST(Doctor, FindsAUnitThatIsNotThePackages) {
  const auto found_with = [](const std::string& file, const std::string& lines) {
    return found_after([&](Facts& facts) {
      auto& made = facts.units["zfs-keyvault.service"];
      made.file = file;
      read_unit_text("[Service]\n" + lines, made);
    });
  };
  constexpr auto kOver = "/etc/systemd/system/zfs-keyvault.service";
  const std::string seeds = "ExecStart=/usr/bin/zkv mount \"$GATEWAY_URI\"\n";
  EXPECT_THAT(found_with(kOver, seeds), ElementsAre("service-replaced"));
  EXPECT_THAT(found_with(kOver, "ExecStart=/usr/bin/some agent\n"), ElementsAre("service-replaced"));
  EXPECT_THAT(found_with(kOver, ""), ElementsAre("service-replaced"));
  EXPECT_THAT(found_with(kOver, seeds + "ExecStart=\nExecStart=/usr/bin/zkv agent\n"), IsEmpty());
  EXPECT_THAT(found_with(kOver, "ExecStart=-/usr/local/bin/zkv --repository /r agent $GATEWAY_URI\n"),
              IsEmpty());
  EXPECT_THAT(found_with("/lib/systemd/system/zfs-keyvault.service", seeds), IsEmpty());
  EXPECT_THAT(found_with("/usr/lib/systemd/system/zfs-keyvault.service", seeds), IsEmpty());
}

TEST(Doctor, FindsOrderingBeforeWhatTheNetworkNeeds) {
  const auto found = found_after([](Facts& facts) {
    read_unit_text("[Unit]\nBefore=local-fs.target\n", facts.units["zfs-keyvault.service"]);
  });
  EXPECT_THAT(found, ElementsAre("service-too-early"));
}

TEST(Doctor, FindsATimeLimitThatEndsTheAskingEarly) {
  EXPECT_THAT(found_after([](Facts& facts) { facts.service_settings["ZKV_TIMEOUT"] = "850"; }),
              ElementsAre("service-time-limit"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.service_settings["ZKV_TIMEOUT"] = "0"; }),
              ElementsAre("service-time-limit"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.service_settings["ZKV_TIMEOUT"] = "600"; }), IsEmpty());
  EXPECT_THAT(found_after([](Facts& facts) { facts.service_settings["ZKV_TIMEOUT"] = "soon"; }), IsEmpty());
}

TEST(Doctor, FindsTooLittleLockedMemory) {
  EXPECT_THAT(found_after([](Facts& facts) {
                read_unit_text("LimitMEMLOCK=8M\n", facts.units["zfs-keyvault.service"]);
              }),
              ElementsAre("service-memory"));
}

/// As `zkv check` and `zkv drill` ask, which have nothing else of the doctor.
TEST(Doctor, FindsWhatWasNotMountedAndWhatWillNotBe) {
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.left_over = {{"data", "it was not mounted", "mend it"}};
              }),
              ElementsAre("last-opening"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.unmountable = {{"data", "it is ext4", "mend it"}};
              }),
              ElementsAre("fstab-type"));
}

TEST(Doctor, FindsThatTwoDisksHaveTheUuidOfAVolume) {
  const auto with_twins = [](const std::string& uuid) {
    return found_after([&](Facts& facts) {
      facts.volumes.push_back({"data", "luks", "UUID=1234-abcd"});
      facts.luks_twins = {{uuid, {{"/dev/sda", true}, {"/dev/sdb"}}}};
    });
  };
  EXPECT_THAT(with_twins("1234-abcd"), ElementsAre("disk-twin"));
  EXPECT_THAT(with_twins("9999-abcd"), IsEmpty()) << "no volume is named by it";
  Facts facts = healthy();
  facts.volumes.push_back({"data", "luks", "/dev/disk/by-uuid/1234-abcd"});
  facts.luks_twins = {{"1234-abcd", {{"/dev/sda", true}, {"/dev/sdb"}}}};
  EXPECT_THAT(examine(facts).front().found.what, HasSubstr("/dev/sda (open now), /dev/sdb;"));
}

TEST(Doctor, SaysNothingOfEnrolmentsThatItMayNotSee) {
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.enrolments.clear();
                facts.are_enrolments_seen = false;
              }),
              IsEmpty());
}

TEST(Doctor, FindsThatNobodyWouldBeAsked) {
  EXPECT_THAT(found_after([](Facts& facts) { facts.enrolments.clear(); }), ElementsAre("nobody-to-ask"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.enrolments.clear();
                facts.service_settings["GATEWAY_URI"] = "https://kv.example";
              }),
              IsEmpty());
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.enrolments.clear();
                facts.service_settings["ZKV_OPTIONS"] = "--cafile=/etc/zkv/ca.pem";
              }),
              ElementsAre("nobody-to-ask"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.enrolments.clear();
                facts.service_settings["ZKV_OPTIONS"] = "--cafile=/etc/zkv/ca.pem https://kv.example";
              }),
              IsEmpty());
  for (const auto* key : {"-k KEY", "--repository_key=KEY", "--repository-key KEY", "--key-file /etc/key"}) {
    EXPECT_THAT(found_after([&](Facts& facts) {
                  facts.enrolments.clear();
                  facts.service_settings["ZKV_OPTIONS"] = key;
                }),
                IsEmpty())
        << key;
  }
}

TEST(Doctor, FindsWhatIsInTheWayToAGateway) {
  const auto behind = [](net::Obstacle obstacle) {
    return found_after([&](Facts& facts) {
      facts.gateways[0].obstacle = obstacle;
      facts.gateways[0].trouble = Error::unavailable("not reached");
    });
  };
  EXPECT_THAT(behind(net::Obstacle::kName), ElementsAre("gateway-name"));
  EXPECT_THAT(behind(net::Obstacle::kRoute), ElementsAre("gateway-unreached"));
  EXPECT_THAT(behind(net::Obstacle::kConnection), ElementsAre("gateway-unreached"));
  EXPECT_THAT(behind(net::Obstacle::kTrust), ElementsAre("gateway-untrusted"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.gateways[0].deciders = 0; }),
              ElementsAre("gateway-asks-nobody"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.gateways[0].deciders = 1; }), IsEmpty());
  EXPECT_THAT(found_after([](Facts& facts) { facts.gateways[0].refusal = Error::denied("unknown host"); }),
              ElementsAre("gateway-refuses"));
  EXPECT_THAT(
      found_after([](Facts& facts) { facts.gateways[0].certificate_ends = kNow + std::chrono::hours(48); }),
      ElementsAre("gateway-certificate-ends"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.service_settings["GATEWAY_URI"] = "http://127.0.0.1:1 http://kv.example";
              }),
              ElementsAre("gateway-plain-http"));
}

TEST(Doctor, FindsAClockThatIsWrongOrWillBe) {
  EXPECT_THAT(found_after([](Facts& facts) { facts.now = kNow - std::chrono::hours(2); }),
              ElementsAre("clock-behind"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.units.erase("systemd-timesyncd.service"); }),
              ElementsAre("clock-unset"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.has_clock = false; }), ElementsAre("clock-starts-wrong"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.has_clock = false;
                facts.units["systemd-time-wait-sync.service"] = unit("", {"sysinit.target"});
                read_unit_text("After=time-sync.target\n", facts.units["zfs-keyvault.service"]);
              }),
              IsEmpty());
}

TEST(Doctor, FindsARepositoryThatTheBootCannotUse) {
  EXPECT_THAT(found_after([](Facts& facts) { facts.repository_trouble = Error::corrupt("damaged"); }),
              ElementsAre("repository-unreadable"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.volumes[0].options = "import"; }),
              ElementsAre("zfs-pool-early"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.repository = "/home/.zkv-repository"; }),
              ElementsAre("repository-on-volume"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.enrolments[0].slot = 9; }),
              ElementsAre("enrolment-unusable"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.enrolments[0].repository = {2}; }),
              ElementsAre("enrolment-unusable"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.description->outside.reset(); }),
              ElementsAre("enrolment-unusable"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.enrolment_trouble = Error::corrupt("damaged"); }),
              ElementsAre("enrolment-unusable"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.lost_keys = {{"https://gateway", "it is gone", ""}};
              }),
              ElementsAre("enrolment-unusable"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.enrolments[0].gateway = {9}; }),
              ElementsAre("enrolment-unusable", "enrolment-unusable"))
      << "its slot is another's, whose enrolment is not there";
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.enrolments[0].in_tpm = true;
                facts.has_tpm = false;
              }),
              ElementsAre("tpm-missing"));
}

TEST(Doctor, FindsAnInitramfsWithAnOlderCopy) {
  const auto with = [](std::chrono::hours age) {
    return found_after([age](Facts& facts) {
      facts.early.copied = {{"/var/lib/zkv/repository", kNow - std::chrono::hours(5)},
                            {"/etc/default/zfs-keyvault", kNow - std::chrono::hours(9)}};
      facts.early.initramfses = {{"/boot/initrd.img-6.1", kNow - age}};
    });
  };
  EXPECT_THAT(with(std::chrono::hours(7)), ElementsAre("initramfs-old"));
  EXPECT_THAT(with(std::chrono::hours(5)), IsEmpty());
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.early.initramfses = {{"/boot/initrd.img-6.1", {}}};
              }),
              IsEmpty());
}

TEST(Doctor, FindsThatThereIsNoWayBackAndOneTooMany) {
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.description->outside->slots.erase(facts.description->outside->slots.begin());
              }),
              ElementsAre("no-way-back"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.previous = facts.description;
                facts.previous->outside->slots[0].id = 7;
              }),
              ElementsAre("previous-opens-more"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.previous = facts.description; }), IsEmpty());
  EXPECT_THAT(found_after([](Facts& facts) { facts.damage = "it is damaged"; }),
              ElementsAre("repository-unreadable"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.rollback = "this is generation 1"; }),
              ElementsAre("repository-older"));
}

TEST(Doctor, FindsADiskOnWhichNothingCanBeKept) {
  EXPECT_THAT(found_after([](Facts& facts) { facts.room = 1000; }), ElementsAre("disk-full"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.room = std::uint64_t{1} << 30U; }), IsEmpty());
}

TEST(Doctor, FindsFilesThatOthersCanReach) {
  EXPECT_THAT(found_after([](Facts& facts) { facts.files[0].owner = 1000; }), ElementsAre("file-writable"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.files[0].mode = 0620; }), ElementsAre("file-writable"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.files[0].mode = 0640; }), ElementsAre("file-readable"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.files.push_back({"/tmp", "a directory", 0, 01777, false, true});
              }),
              IsEmpty());
}

TEST(Doctor, FindsWhatLiesAbout) {
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.leftovers.push_back({"/root/key", Leftover::Kind::kKey});
              }),
              ElementsAre("key-left-lying"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.leftovers.push_back({"/root/part", Leftover::Kind::kSomeParts});
              }),
              ElementsAre("key-left-lying"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.leftovers.push_back({"/root/old", Leftover::Kind::kRepository});
              }),
              ElementsAre("repository-copy"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.leftovers.push_back({"/root/other", Leftover::Kind::kOtherRepository});
              }),
              ElementsAre("repository-other"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.swaps[0].is_encrypted = false; }),
              ElementsAre("swap-plain"));
}

TEST(Doctor, SaysWhereWhatAndWhatMendsIt) {
  Facts facts = healthy();
  facts.crypttab = unlock::parse_crypttab("data UUID=12 none luks");
  const auto finding = examine(facts).front();
  EXPECT_EQ(finding.weight, Weight::kMend);
  EXPECT_EQ(finding.found.where, "/etc/crypttab");
  EXPECT_THAT(finding.found.what, HasSubstr("data"));
  EXPECT_THAT(finding.found.remedy, HasSubstr("noauto"));
}

TEST(Doctor, HasASectionOfItsPageForEachCheckAndNoOther) {
  std::ifstream page(ZKV_DOCTOR_PAGE);
  std::set<std::string> sections;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) sections.insert(line.substr(3));
  }
  std::set<std::string> checks;
  for (const auto& check : all_checks()) checks.insert(std::string(check.slug));
  EXPECT_EQ(sections, checks);
  EXPECT_EQ(checks.size(), all_checks().size());
}

}  // namespace
}  // namespace zkv::doctor
