// The heap is grown once and kept; code and heap are then mapped by madvise(2).
#include "memory_ahead.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <memory>

extern "C" {
extern const char __executable_start;  // NOLINT: named by the linker
extern const char etext;               // NOLINT: named by the linker
}

namespace zkv::cli {

namespace {

constexpr std::size_t kHeap = 768U * 1024U;  ///< what a list of a thousand volumes takes

void populate(const void* begin, std::size_t size, int how) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* first = const_cast<void*>(begin);
  if (std::align(page, page, first, size) != nullptr) ::madvise(first, size / page * page, how);
}

}  // namespace

void map_memory_ahead() {
  populate(&__executable_start, static_cast<std::size_t>(&etext - &__executable_start), MADV_POPULATE_READ);
  ::mallopt(M_MMAP_THRESHOLD, 2 * kHeap);
  ::mallopt(M_TRIM_THRESHOLD, 2 * kHeap);
  const auto heap = std::make_unique_for_overwrite<char[]>(kHeap);  // what is freed stays mapped
  populate(heap.get(), kHeap, MADV_POPULATE_WRITE);
}

}  // namespace zkv::cli
