// Programs that renew what others keep of the repository: which are run, with what, and what of those that
// fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/encoding.h"
#include "base/file.h"
#include "host/renewed.h"
#include "http_server.h"

namespace zkv::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Renewed : public testing::Test {
 protected:
  Renewed() { fs::create_directory(folder_); }

  void add(const std::string& name, const std::string& script, unsigned mode = 0755) const {
    std::ofstream(folder_ / name) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(folder_ / name, static_cast<fs::perms>(mode));
  }
  [[nodiscard]] std::string told() const {
    std::ifstream file(directory_ / "told");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  [[nodiscard]] std::string tell(const std::string& word) const {
    return "echo " + word + " \"$1\" >>" + (directory_ / "told").string();
  }
  std::vector<Error> run() { return run_renewed_programs(folder_, repository_); }

  test::TemporaryDirectory directory_;
  fs::path folder_ = directory_ / "renewed.d";
  fs::path repository_ = directory_ / "repository";
};

TEST_F(Renewed, AreRunInTheOrderOfTheirNamesWithTheRepositorysPath) {
  add("20-second", tell("second"));
  add("10-first", tell("first"));
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_EQ(told(), "first " + repository_.string() + "\nsecond " + repository_.string() + "\n");
}

TEST_F(Renewed, AreLeftOutByTheNamesThatRunPartsLeavesOut) {
  for (const char* name : {"backup~", "one.dpkg-old", ".hidden", "with space"}) add(name, tell("wrong"));
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_EQ(told(), "");
}

TEST_F(Renewed, OneThatFailsIsToldAndStopsNoOther) {
  add("10-fails", "echo out of space >&2; exit 7");
  add("20-works", tell("works"));
  const auto failures = run();
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_THAT(failures[0].message(),
              testing::AllOf(HasSubstr("10-fails"), HasSubstr("ended with 7"), HasSubstr("out of space")));
  EXPECT_THAT(told(), HasSubstr("works"));
}

TEST_F(Renewed, OneThatOthersCanWriteIsNotRun) {
  add("10-open", tell("wrong"), 0777);
  const auto failures = run();
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].kind(), ErrorKind::kDenied);
  EXPECT_EQ(told(), "");
}

TEST_F(Renewed, ALinkOrAFileThatCannotBeRunIsToldAndNotRun) {
  add("real.sh", tell("wrong"));
  fs::create_symlink(folder_ / "real.sh", folder_ / "10-link");
  add("20-plain", tell("wrong"), 0644);
  EXPECT_THAT(run(), SizeIs(2));
  EXPECT_EQ(told(), "");
}

TEST_F(Renewed, WithoutAFolderNothingIsDone) {
  EXPECT_THAT(run_renewed_programs(directory_ / "none", repository_), IsEmpty());
}

TEST_F(Renewed, AReplacementIsSeenAndAnyOtherCommandIsNot) {
  ASSERT_TRUE(replace_file(repository_, bytes_of("one")));
  const auto before = RepositoryFiles::of(repository_);
  EXPECT_EQ(before, RepositoryFiles::of(repository_));
  ASSERT_TRUE(replace_file(repository_, bytes_of("two")));
  EXPECT_FALSE(before == RepositoryFiles::of(repository_));
}

TEST_F(Renewed, AnEnrolmentThatComesOrGoesIsSeenAndTheListOfVolumesIsNot) {
  const fs::path enrolments = repository_.string() + ".enrolments";
  fs::create_directory(enrolments);
  const auto before = RepositoryFiles::of(repository_);
  std::ofstream(enrolments / "volumes.json") << "{}";
  EXPECT_EQ(before, RepositoryFiles::of(repository_));
  std::ofstream(enrolments / "gateway.json") << "{}";
  EXPECT_FALSE(before == RepositoryFiles::of(repository_));
}

}  // namespace
}  // namespace zkv::host
