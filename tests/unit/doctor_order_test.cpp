// What the doctor finds in units, crypttab, fstab and the pools of machines that are made up, one fault each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor_world.h"

namespace zkv::doctor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

TEST(DoctorOrder, FindsUnitsThatHangOnTheVolumesWithoutOrder) {
  EXPECT_THAT(
      found_after([](Facts& facts) { facts.units["db.service"] = unit("Requires=zfs-keyvault.target\n"); }),
      ElementsAre("dependent-unordered"));
  EXPECT_THAT(
      found_after([](Facts& facts) { facts.units["db.service"] = unit("", {"zfs-keyvault.target"}); }),
      ElementsAre("dependent-unordered"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.units["db.service"] = unit("Requires=zfs-keyvault.target\nAfter=zfs-keyvault.target\n",
                                                 {"zfs-keyvault.target"});
              }),
              IsEmpty());
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.units["zkv-cryptsetup.socket"] = unit("BindsTo=zfs-keyvault.service\n");
                facts.units["zkv-credentials.socket"] = unit("BindsTo=zfs-keyvault.service\n");
              }),
              IsEmpty());
}

TEST(DoctorOrder, FindsUnitsThatHaveTheBootWaitForTheApproval) {
  const std::string waits = "Requires=zfs-keyvault.target\nAfter=zfs-keyvault.target\n";
  for (const auto* target : {"multi-user.target", "graphical.target"}) {
    EXPECT_THAT(found_after([&](Facts& facts) {
                  facts.units["db.service"] = unit(waits, {"zfs-keyvault.target", target});
                }),
                ElementsAre("dependent-holds-boot"));
  }
  EXPECT_THAT(found_after([&](Facts& facts) {
                facts.units["db.service"] = unit(waits + "DefaultDependencies=no\n", {"multi-user.target"});
              }),
              IsEmpty());
  EXPECT_THAT(found_after([&](Facts& facts) { facts.units["db.service"] = unit(waits, {"timers.target"}); }),
              IsEmpty());
}

TEST(DoctorOrder, FindsUnitsThatUseAVolumeAndDoNotWait) {
  EXPECT_THAT(
      found_after([](Facts& facts) { facts.units["db.service"] = unit("RequiresMountsFor=/srv/data/db\n"); }),
      ElementsAre("dependent-unbound"));
  EXPECT_THAT(
      found_after([](Facts& facts) { facts.units["db.service"] = unit("WorkingDirectory=/srv/database\n"); }),
      IsEmpty());
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.units["db.service"] = unit("RequiresMountsFor=/srv/data/db\n", {});
              }),
              IsEmpty());
}

TEST(DoctorOrder, FindsUnitsWhoseSecretIsNotThere) {
  const auto taking = [](const std::string& credential, std::vector<VolumeFacts> secrets) {
    return found_after([&](Facts& facts) {
      facts.units["app.service"] = unit("LoadCredential=" + credential + "\n");
      facts.volumes.insert(facts.volumes.end(), secrets.begin(), secrets.end());
    });
  };
  const std::string from_zkv = "token:/run/zkv/credentials.sock";
  EXPECT_THAT(taking(from_zkv, {}), ElementsAre("dependent-lacks-secret"));
  EXPECT_THAT(taking(from_zkv, {{"token", "secret", "", "/run/app/token"}}),
              ElementsAre("dependent-lacks-secret"));
  EXPECT_THAT(taking(from_zkv, {{"token", "secret"}}), IsEmpty());
  EXPECT_THAT(taking("token:/etc/app/token", {}), IsEmpty());
  EXPECT_THAT(taking("token", {}), IsEmpty());
  EXPECT_THAT(found_after([&](Facts& facts) {
                facts.units["app.service"] = unit("LoadCredential=" + from_zkv + "\n", {});
              }),
              IsEmpty());
}

TEST(DoctorOrder, NoautoAloneDoesNotMendAKeyFile) {
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.crypttab = unlock::parse_crypttab("data UUID=12 /root/data.key luks,noauto");
                facts.crypttab_key_files = {"/root/data.key"};
              }),
              ElementsAre("crypttab-key-file"));
}

TEST(DoctorOrder, FindsWhatCrypttabAsksForOrOpensByItself) {
  const auto with_line = [](const std::string& line) {
    return found_after([&](Facts& facts) { facts.crypttab = unlock::parse_crypttab(line); });
  };
  EXPECT_THAT(with_line("data UUID=12 none luks"), ElementsAre("crypttab-asks"));
  EXPECT_THAT(with_line("other-name UUID=12 - luks"), ElementsAre("crypttab-asks"));
  EXPECT_THAT(with_line("data UUID=12 none luks,noauto"), IsEmpty());
  EXPECT_THAT(with_line("else UUID=13 none luks"), IsEmpty());
  EXPECT_THAT(with_line("data UUID=12 /root/data.key luks"), ElementsAre("crypttab-key-file"));
  EXPECT_THAT(with_line("data UUID=12 /root/data.key luks,noauto"), IsEmpty()) << "the file is gone";
  EXPECT_THAT(with_line("data UUID=12 /run/zkv/keys luks"), ElementsAre("crypttab-netdev"));
  EXPECT_THAT(with_line("data UUID=12 /run/zkv/keys luks,_netdev"), IsEmpty());
  EXPECT_THAT(with_line("data UUID=12 /dev/urandom swap"), IsEmpty());
  const std::string ours(unlock::kCryptsetupSocket);
  EXPECT_THAT(with_line("other-name UUID=12 " + ours + " luks"),
              ElementsAre("crypttab-netdev", "crypttab-unknown"));
  EXPECT_THAT(with_line("else UUID=13 " + ours + " luks,_netdev"), ElementsAre("crypttab-unknown"));
  EXPECT_THAT(with_line("else UUID=13 " + ours + " luks,noauto"), ElementsAre("crypttab-unknown"));
  EXPECT_THAT(with_line("data UUID=12 " + ours + " luks,_netdev"), IsEmpty());
}

TEST(DoctorOrder, LeavesWhatTheSystemLiesOnToTheInitramfs) {
  const auto with_tables = [](bool holds_system, const std::string& crypttab, const std::string& fstab) {
    return found_after([&](Facts& facts) {
      for (auto& volume : facts.volumes) volume.holds_system = holds_system;
      facts.crypttab = unlock::parse_crypttab(crypttab);
      facts.fstab = parse_whole_fstab(fstab);
    });
  };
  const std::string crypttab = "data UUID=12 none luks,discard";
  const std::string fstab = "/dev/mapper/data / ext4 errors=remount-ro 0 1";
  EXPECT_THAT(with_tables(true, crypttab, fstab), IsEmpty());
  EXPECT_THAT(with_tables(false, crypttab, fstab), ElementsAre("crypttab-asks", "fstab-stops-boot"));
  EXPECT_THAT(with_tables(false, "data UUID=12 none luks,initramfs", ""), IsEmpty());
}

TEST(DoctorOrder, FindsLinesOfFstabThatStopTheBoot) {
  const auto with_line = [](const std::string& line) {
    return found_after([&](Facts& facts) { facts.fstab = parse_whole_fstab(line); });
  };
  EXPECT_THAT(with_line("/dev/mapper/data /srv/data ext4 defaults 0 2"), ElementsAre("fstab-stops-boot"));
  EXPECT_THAT(with_line("tank/home/anna /home/anna zfs defaults"), ElementsAre("fstab-stops-boot"));
  EXPECT_THAT(found_after([](Facts& facts) {
                facts.fstab = parse_whole_fstab("UUID=12-ab /srv/nas ext4 defaults 0 2");
                facts.fstab.front().lies_on = {"data"};
              }),
              ElementsAre("fstab-stops-boot"));
  EXPECT_THAT(with_line("/srv/data/www /var/www none bind"), ElementsAre("fstab-stops-boot"));
  EXPECT_THAT(with_line("/dev/mapper/data /srv/data ext4 noauto"), IsEmpty());
  EXPECT_THAT(with_line("/dev/mapper/data /srv/data ext4 nofail"), IsEmpty());
  EXPECT_THAT(with_line("/dev/mapper/data /srv/data ext4 noauto\n/srv/data2 /srv/bind none bind,nofail"),
              IsEmpty());
  EXPECT_THAT(with_line("/dev/mapper/data2 /srv/data2 ext4 defaults"), IsEmpty());
  EXPECT_THAT(with_line("/dev/vdb /mnt ext4 x-systemd.requires=zfs-keyvault.service"),
              ElementsAre("fstab-too-early"));
  EXPECT_THAT(with_line("/dev/vdb /mnt ext4 x-systemd.requires=zfs-keyvault.service,_netdev"), IsEmpty());
}

TEST(DoctorOrder, FindsLinesOfFstabThatAnApprovalComesTooLateFor) {
  const auto with_line = [](const std::string& line) {
    return found_after([&](Facts& facts) { facts.fstab = parse_whole_fstab(line); });
  };
  const std::string waits =
      "noauto,nofail,x-systemd.requires=zfs-keyvault.target,x-systemd.wanted-by=zfs-keyvault.target";
  for (const std::string what : {"tank/home/anna /home/anna zfs ", "/dev/zvol/tank/home /srv/disk ext4 ",
                                 "/srv/data/www /var/www none bind,"}) {
    EXPECT_THAT(with_line(what + "nofail"), ElementsAre("fstab-gives-up")) << what;
    EXPECT_THAT(with_line(what + "_netdev"), ElementsAre("fstab-gives-up")) << what;
    EXPECT_THAT(with_line(what + waits), IsEmpty()) << what;
    EXPECT_THAT(with_line(what + "nofail,x-systemd.requires=zfs-keyvault.target"), IsEmpty()) << what;
  }
  EXPECT_THAT(with_line("/dev/mapper/data /srv/data ext4 nofail"), IsEmpty());
  EXPECT_THAT(with_line("/dev/mapper/data none swap nofail"), IsEmpty());
}

TEST(DoctorOrder, FindsWhatHasALineMountedThatTheBootLeaves) {
  const auto with_lines = [](const std::string& options, const std::string& other,
                             const std::string& unit = {}) {
    return found_after([&](Facts& facts) {
      facts.fstab = parse_whole_fstab("/dev/mapper/data /srv/data ext4 " + options + " 0 2\n" + other);
      if (unit.empty()) return;
      auto& service = facts.units["files.service"];
      service.file = "/etc/systemd/system/files.service";
      service.wanted_by = {unit};
      read_unit_text("RequiresMountsFor=/var /srv/data/www\n", service);
    });
  };
  const std::string bind = "/srv/data/sub /srv/bind none bind,nofail";
  EXPECT_THAT(with_lines("noauto", bind), ElementsAre("fstab-stops-boot", "fstab-gives-up"));
  EXPECT_THAT(with_lines("noauto", "/dev/vdb /srv/data/more ext4 nofail"), ElementsAre("fstab-stops-boot"));
  EXPECT_THAT(with_lines("noauto", "/dev/vdb /mnt ext4 x-systemd.requires-mounts-for=/srv/data"),
              ElementsAre("fstab-stops-boot"));
  EXPECT_THAT(with_lines("noauto,nofail", bind), ElementsAre("fstab-gives-up"));
  EXPECT_THAT(with_lines("noauto", "/srv/data/sub /srv/bind none bind,noauto"), IsEmpty());
  EXPECT_THAT(with_lines("noauto", "", "multi-user.target"), Contains("fstab-stops-boot"));
  EXPECT_THAT(with_lines("noauto,nofail", "", "multi-user.target"), Not(Contains("fstab-stops-boot")));
  EXPECT_THAT(with_lines("noauto", "", "zfs-keyvault.target"), Not(Contains("fstab-stops-boot")));
}

TEST(DoctorOrder, FindsAUnitOfOnesOwnThatLoadsKeysOfZfs) {
  const auto with_unit = [](const std::string& command, bool is_enabled = true) {
    return found_after([&](Facts& facts) {
      auto& unit = facts.units["old-load-key.service"];
      unit.file = "/etc/systemd/system/old-load-key.service";
      if (is_enabled) unit.wanted_by = {"zfs-mount.service"};
      read_unit_text("ExecStart=" + command + "\n", unit);
    });
  };
  EXPECT_THAT(with_unit("/sbin/zfs load-key -a"), ElementsAre("zfs-asks"));
  EXPECT_THAT(with_unit("/bin/sh -c 'zpool import tank; zfs mount -al'"), ElementsAre("zfs-asks"));
  EXPECT_THAT(with_unit("/sbin/zfs mount -a"), IsEmpty());
  EXPECT_THAT(with_unit("/sbin/zfs load-key -a", false), IsEmpty());
}

std::string cached(const std::string& location, const std::string& ignore = "-",
                   const std::string& name = "tank/home", const std::string& canmount = "on") {
  return name + "\t/home\t" + canmount + "\ton\ton\ton\ton\toff\ton\toff\ttank/home\t" + location +
         "\t-\t-\t-\t-\t-\t-\t-\t" + ignore + "\n";
}

TEST(DoctorOrder, FindsUnitsOfZfsThatAskOrFindAKey) {
  const auto with_cache = [](const std::string& text) {
    return found_after([&](Facts& facts) { facts.zfs_cache = parse_zfs_list_cache(text); });
  };
  EXPECT_THAT(with_cache(cached("prompt")), ElementsAre("zfs-asks"));
  EXPECT_THAT(with_cache(cached("prompt", "on")), IsEmpty());
  EXPECT_THAT(with_cache(cached("prompt", "-", "tank/home", "off")), IsEmpty());
  EXPECT_THAT(with_cache(cached("file:///root/home.key")), ElementsAre("zfs-key-file"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.volumes.front().key_file = "/root/home.key"; }),
              ElementsAre("zfs-key-file"));
  EXPECT_THAT(with_cache("too\tshort\n"), IsEmpty());
}

TEST(DoctorOrder, FindsUnitsOfZfsForClonesAndForWhatLiesBelow) {
  const auto remedy = [](const std::string& text) {
    auto facts = healthy();
    facts.zfs_cache = parse_zfs_list_cache(text);
    const auto findings = examine(facts);
    return findings.size() == 1 ? findings.front().found.remedy : std::to_string(findings.size());
  };
  const std::string set = "zfs set org.openzfs.systemd:ignore=on ";
  const std::string reload = " && systemctl daemon-reload";
  EXPECT_EQ(remedy(cached("prompt") + cached("none", "-", "tank/home/anna")), set + "tank/home" + reload);
  EXPECT_EQ(remedy(cached("prompt", "-", "tank/home", "off") + cached("none", "-", "tank/home/anna")),
            set + "tank/home" + reload);
  EXPECT_EQ(remedy(cached("prompt") + cached("none", "-", "tank/restored")),
            set + "tank/home tank/restored" + reload);
  EXPECT_EQ(remedy(cached("prompt", "on") + cached("none", "-", "tank/restored")),
            set + "tank/restored" + reload);
  EXPECT_EQ(remedy(cached("prompt", "on") + cached("none", "off", "tank/home/anna")),
            set + "tank/home/anna" + reload);
}

TEST(DoctorOrder, FindsPoolsThatAreNotImported) {
  EXPECT_THAT(found_after([](Facts& facts) { facts.units["zfs-import-cache.service"].is_masked = true; }),
              ElementsAre("zfs-import-off"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.pool_cache.reset(); }), ElementsAre("zfs-import-off"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.pool_cache = "other"; }),
              ElementsAre("zfs-pool-unlisted"));
  EXPECT_THAT(found_after([](Facts& facts) { facts.units["zfs-mount.service"].is_masked = true; }),
              ElementsAre("zfs-mount-off"));
}

}  // namespace
}  // namespace zkv::doctor
