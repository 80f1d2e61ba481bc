// QR codes: read back by another program (zbar), and the drawing against the modules.
#include "qr/qr_code.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "test_certificate.h"

namespace zkv {
namespace {

/// Four pixels for each module, and the margin that readers want.
std::string picture_of(const QrCode& code) {
  constexpr int kScale = 4;
  constexpr int kMargin = 4;
  const int side = (code.width() + 2 * kMargin) * kScale;
  std::string picture = "P1\n" + std::to_string(side) + " " + std::to_string(side) + "\n";
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      picture += code.is_dark(y / kScale - kMargin, x / kScale - kMargin) ? "1 " : "0 ";
    }
    picture += "\n";
  }
  return picture;
}

std::string read_by_zbar(const QrCode& code) {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "code.pbm";
  std::ofstream(path) << picture_of(code);
  const std::string command = "/usr/bin/zbarimg -q --raw '" + path + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> program(::popen(command.c_str(), "r"), ::pclose);
  std::string said;
  std::array<char, 4096> part{};
  for (std::size_t got = 0; (got = std::fread(part.data(), 1, part.size(), program.get())) > 0;) {
    said.append(part.data(), got);
  }
  return said;
}

TEST(QrCode, IsReadByAnotherProgram) {
  const std::string link = "otpauth://totp/zkv:Anna?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=zkv";
  for (const auto& text : {std::string("A"), link, std::string(2000, 'x') + "!"}) {
    EXPECT_EQ(read_by_zbar(QrCode(text)), text + "\n");
  }
}

TEST(QrCode, IsTheSmallestThatHoldsTheText) {
  EXPECT_EQ(QrCode(std::string(17, 'x')).width(), 21);
  EXPECT_EQ(QrCode(std::string(18, 'x')).width(), 25);
  EXPECT_EQ(QrCode(std::string(2953, 'x')).width(), 177);
}

TEST(QrCode, OfATextThatIsTooLongIsNone) {
  EXPECT_EQ(QrCode(std::string(2954, 'x')).width(), 0);
  EXPECT_EQ(svg_path(QrCode(std::string(10'000, 'x'))).size(), 0U);
}

TEST(QrCode, IsLightOutsideOfItself) {
  const QrCode code("A");
  ASSERT_EQ(code.width(), 21);
  EXPECT_TRUE(code.is_dark(0, 0));
  EXPECT_FALSE(code.is_dark(-1, 0));
  EXPECT_FALSE(code.is_dark(0, -1));
  EXPECT_FALSE(code.is_dark(21, 0));
  EXPECT_FALSE(code.is_dark(0, 21));
}

TEST(QrCode, IsDrawnByItsDarkModulesRowByRow) {
  const QrCode code("A");
  const SecretBytes path = svg_path(code);
  EXPECT_TRUE(path.view().starts_with("M0 0h7v1h-7z"));
  std::string modules(21UL * 21UL, ' ');
  std::string rest(path.view());
  while (!rest.empty()) {
    int column = 0;
    int row = 0;
    int run = 0;
    int back = 0;
    int length = 0;
    ASSERT_EQ(std::sscanf(rest.c_str(), "M%d %dh%dv1h-%dz%n", &column, &row, &run, &back, &length), 4);
    ASSERT_EQ(run, back);
    for (int i = 0; i < run; ++i) modules.at(static_cast<std::size_t>(row * 21 + column + i)) = '#';
    rest.erase(0, static_cast<std::size_t>(length));
  }
  for (int row = 0; row < 21; ++row) {
    for (int column = 0; column < 21; ++column) {
      EXPECT_EQ(modules.at(static_cast<std::size_t>(row * 21 + column)) == '#', code.is_dark(row, column));
    }
  }
}

}  // namespace
}  // namespace zkv
