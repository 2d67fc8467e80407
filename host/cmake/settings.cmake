# Settings that every target of this repository shares. Warnings are errors on our own code only (the presets set HOOKHOST_WERROR).
include(GNUInstallDirs)

option(HOOKHOST_TESTS "Build the tests" ON)
option(HOOKHOST_BENCH "Build what tests/bench/run.sh measures with" OFF)
option(HOOKHOST_WERROR "Treat warnings in our own code as errors" OFF)
set(HOOKHOST_SANITIZE "" CACHE STRING "Empty, 'address' (ASan and UBSan) or 'thread' (TSan)")

set(CMAKE_C_STANDARD 11)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(HOOKHOST_CCACHE ccache)
if(HOOKHOST_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${HOOKHOST_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HOOKHOST_CCACHE})
endif()
find_program(HOOKHOST_MOLD mold)
if(HOOKHOST_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(HOOKHOST_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(HOOKHOST_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
  add_link_options(-fsanitize=thread)
elseif(HOOKHOST_SANITIZE)
  message(FATAL_ERROR "HOOKHOST_SANITIZE is '${HOOKHOST_SANITIZE}': use 'address', 'thread' or nothing")
endif()

# g++ 12 sees ghosts in the standard library and Boost.JSON with these, optimised or under sanitizers.
set(HOOKHOST_FALSE_WARNINGS $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)

# Warnings for one of our own targets. Never for what a third party ships.
function(hookhost_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers ${HOOKHOST_FALSE_WARNINGS} $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
                         $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual>)
  if(HOOKHOST_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# Events are made by one thread and freed by another: glibc's allocator makes them wait for each other and keeps more than it uses
# (tests/bench/README.md). The sanitizers bring their own.
function(hookhost_allocator program)
  if(NOT HOOKHOST_SANITIZE)
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(jemalloc REQUIRED IMPORTED_TARGET jemalloc)
    target_link_libraries(${program} PRIVATE PkgConfig::jemalloc)
  endif()
endfunction()
