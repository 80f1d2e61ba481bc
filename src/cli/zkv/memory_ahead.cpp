// The heap is grown once and kept, and mapped by one madvise(2).
#include "memory_ahead.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <memory>

namespace zkv::cli {

namespace {

constexpr std::size_t kHeap = 320U * 1024U;  ///< what a list of a thousand volumes takes

void populate(void* first, std::size_t size) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (std::align(page, page, first, size) != nullptr) {
    ::madvise(first, size / page * page, MADV_POPULATE_WRITE);
  }
}

}  // namespace

void map_memory_ahead() {
  ::mallopt(M_MMAP_THRESHOLD, 2 * kHeap);
  ::mallopt(M_TRIM_THRESHOLD, 2 * kHeap);
  const auto heap = std::make_unique_for_overwrite<char[]>(kHeap);  // what is freed stays mapped
  populate(heap.get(), kHeap);
}

}  // namespace zkv::cli
