// Runs one target over the files of its corpus, without a fuzzer: `replay TARGET FOLDER`.
#include <filesystem>
#include <iostream>
#include <memory>

#include "base/file.h"
#include "fuzz.h"

namespace {

constexpr std::size_t kLargestInput = std::size_t{1} << 20U;

/// In a buffer of exactly its size, so that AddressSanitizer sees a read past its end.
void run(FuzzTarget target, const zkv::Bytes& input) {
  const auto exact = std::make_unique<std::uint8_t[]>(input.size());
  std::copy(input.begin(), input.end(), exact.get());
  target(exact.get(), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  const auto& targets = zkv::fuzz::targets();
  const auto target = argc == 3 ? targets.find(argv[1]) : targets.end();
  if (target == targets.end()) {
    std::cerr << "usage: " << argv[0] << " TARGET FOLDER\nwith a target of these:";
    for (const auto& [name, function] : targets) std::cerr << " " << name;
    std::cerr << "\n";
    return 2;
  }
  run(target->second, {});
  unsigned replayed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[2])) {
    const auto input = zkv::read_file(entry.path(), kLargestInput);
    if (!input) {
      std::cerr << entry.path() << ": " << input.error().message() << "\n";
      return 1;
    }
    std::cout << entry.path().filename().string() << std::endl;  // flushed: names the input that ends it
    run(target->second, *input);
    ++replayed;
  }
  std::cout << replayed << " inputs\n";
  return replayed == 0 ? 1 : 0;
}
