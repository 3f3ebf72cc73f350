#!/bin/sh
# SPDX-License-Identifier: MIT
# Branch coverage of src and exports by the native tests (nt.c and guard.c are not in them): a line for each file, and
# with a file's name as the argument what of it is never reached.

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

need_packages cmake ninja-build $packages_native llvm-14

build=build/coverage
flags='-fprofile-instr-generate -fcoverage-mapping'
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_COMPILER=clang++-14 \
    -DCMAKE_C_FLAGS="$flags" -DCMAKE_EXE_LINKER_FLAGS="$flags" >"$build.log" 2>&1 &&
    cmake --build "$build" >>"$build.log" 2>&1 || {
    tail -n 40 "$build.log" >&2
    exit 1
}
if [ $# -eq 0 ] || [ ! -e "$build/all.profdata" ]; then
    rm -rf "$build/profiles"
    LLVM_PROFILE_FILE="$PWD/$build/profiles/%p-%m.profraw" ctest --test-dir "$build" -j 2 --output-on-failure >>"$build.log" 2>&1 || {
        tail -n 40 "$build.log" >&2
        exit 1
    }
    llvm-profdata-14 merge -sparse -o "$build/all.profdata" "$build"/profiles/*.profraw
fi

# Every test program has the library in it; what one of them reaches counts.
set -- "$@" --
objects=
for program in "$build"/bin/native_* "$build"/bin/fuzz_*; do
    [ ! -x "$program" ] || objects="$objects -object $program"
done
if [ "$1" = -- ]; then
    llvm-cov-14 report -instr-profile "$build/all.profdata" -show-branch-summary $objects \
        -ignore-filename-regex '/(tests|tools)/'
else
    llvm-cov-14 show -instr-profile "$build/all.profdata" -show-branches=count $objects "$PWD/$1"
fi
