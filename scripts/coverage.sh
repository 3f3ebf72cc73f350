#!/bin/sh
# SPDX-License-Identifier: MIT
# Branch coverage of src and exports by the native tests (nt.c and guard.c are not in them), without the fuzzers, which
# reach something else each time: a line for each file, and what was missed. Fails below 95 %, and when a function
# misses a branch that is not named in tests/native/coverage-gaps.txt.
#
#   scripts/coverage.sh             builds, runs the tests and reports: minutes
#   scripts/coverage.sh --report    reports on the last run
#   scripts/coverage.sh FILE        shows the last run's counts in a source file

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

need_packages cmake ninja-build $packages_native llvm

build=build/coverage
gaps=tests/native/coverage-gaps.txt
# Several tests have threads: a count that is lost makes a branch look reached that never was.
flags='-fprofile-instr-generate -fcoverage-mapping -fprofile-update=atomic'

run_tests() {
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
        -DCMAKE_C_FLAGS="$flags" -DCMAKE_EXE_LINKER_FLAGS="$flags" &&
        cmake --build "$build" -j 2 &&
        rm -rf "$build/profiles" &&
        LLVM_PROFILE_FILE="$PWD/$build/profiles/%p-%m.profraw" \
            ctest --test-dir "$build" -j 2 --output-on-failure -R '^native_' -E '^native_pe_' &&
        llvm-profdata merge -sparse -o "$build/all.profdata" "$build"/profiles/*.profraw
}

if [ $# -eq 0 ]; then
    mkdir -p build
    run_tests >"$build.log" 2>&1 || {
        tail -n 40 "$build.log" >&2
        exit 1
    }
fi
[ "${1-}" != --report ] || shift

# Every test program has the library in it; what one of them reaches counts.
objects=
for program in "$build"/bin/native_*; do
    objects="$objects -object $program"
done
if [ $# -gt 0 ]; then
    exec llvm-cov show -instr-profile "$build/all.profdata" -show-branches=count $objects "$PWD/$1"
fi
llvm-cov report -instr-profile "$build/all.profdata" -show-branch-summary $objects -ignore-filename-regex '/(tests|tools)/'
llvm-cov show -instr-profile "$build/all.profdata" -show-branches=count -show-instantiations=false $objects \
    -ignore-filename-regex '/(tests|tools)/' | awk -v gaps="$gaps" -v root="$PWD" -v least=95 -f scripts/coverage.awk "$gaps" -
