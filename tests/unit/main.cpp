// Runs the tests of one file: `PROGRAM NAME` those of NAME_test.cpp; without a name all that are in the
// program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <string_view>

namespace {

/// GoogleTest's filter for the tests that were written in `file`; empty if there are none.
std::string tests_of(std::string_view file) {
  std::string filter;
  const auto& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const auto& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const auto& test = *suite.GetTestInfo(j);
      if (std::string_view(test.file()).ends_with(file))
        filter += std::string(suite.name()) + "." + test.name() + ":";
    }
  }
  return filter;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  if (argc > 1) {
    const auto filter = tests_of("/" + std::string(argv[1]) + "_test.cpp");
    if (filter.empty()) {
      std::cerr << argv[0] << ": no tests of " << argv[1] << "_test.cpp are in it\n";
      return 2;
    }
    testing::FLAGS_gtest_filter = filter;
  }
  return RUN_ALL_TESTS();
}
