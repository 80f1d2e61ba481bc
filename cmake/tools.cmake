# Compiler cache, linker and warnings, the same for every room.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD AND ZKV_FAST_LINK)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
                    -Wold-style-cast -Woverloaded-virtual -Werror -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # GCC 12 reports these falsely inside inlined library code.
  if(CMAKE_UNITY_BUILD)
    add_compile_options(-Wno-subobject-linkage)  # Takes all but the first file of a batch for headers.
  endif()
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-dangling-pointer -Wno-stringop-overflow
                      -Wno-array-bounds -Wno-free-nonheap-object -Wno-mismatched-new-delete)
endif()
add_compile_options(-fstack-protector-strong -fcf-protection -ffunction-sections -fdata-sections)
# A backtrace has functions and lines; all that -g says beside that takes a fifth of the compilation.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,pack-relative-relocs)  # The loader reads 1 KiB of a table in place of 90.
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,--as-needed -Wl,--gc-sections)

set(ZKV_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=")
if(ZKV_SANITIZE)
  add_compile_options(-fsanitize=${ZKV_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ZKV_SANITIZE})
  if(ZKV_SANITIZE MATCHES address)
    if(ZKV_SANITIZE MATCHES undefined AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      # Its words for each place would be two thirds of every program, and AddressSanitizer guards them one by one at each
      # start. A trap ends the program there, too; preset `ubsan` has the words, and the one check that cannot trap.
      add_compile_options(-fsanitize-undefined-trap-on-error)
    endif()
    # At a place of their own, with the sanitizer in them, programs start in half the time; the tests start thousands.
    set(in_programs -no-pie)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      list(APPEND in_programs -static-libasan -static-libubsan)
    endif()
    add_link_options("$<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${in_programs}>")
  endif()
  if(ZKV_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(-Wno-tsan)  # Asio's fences, which this sanitizer does not see.
  endif()
endif()
option(ZKV_COVERAGE "instrument for coverage" OFF)
if(ZKV_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
