// The heap is grown once and kept; code and heap are then mapped by madvise(2).
#include "memory_ahead.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

extern "C" {
extern const char __executable_start;  // NOLINT: named by the linker
extern const char etext;               // NOLINT: named by the linker
}

namespace zkv::cli {

namespace {

constexpr std::size_t kHeap = 512U * 1024U;  ///< what a list of a thousand volumes takes

void populate(const void* begin, std::size_t size, int how) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(begin) + size) / page * page;
  if (end > first) ::madvise(reinterpret_cast<void*>(first), end - first, how);
}

}  // namespace

void map_memory_ahead() {
  populate(&__executable_start, static_cast<std::size_t>(&etext - &__executable_start), MADV_POPULATE_READ);
  ::mallopt(M_MMAP_THRESHOLD, 2 * kHeap);
  ::mallopt(M_TRIM_THRESHOLD, 2 * kHeap);
  void* heap = std::malloc(kHeap);
  if (heap != nullptr) populate(heap, kHeap, MADV_POPULATE_WRITE);
  std::free(heap);
}

}  // namespace zkv::cli
