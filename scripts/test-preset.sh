#!/bin/sh
# SPDX-License-Identifier: MIT
# Configures, builds and tests one configuration, for scripts/test.sh; build/PRESET.times tells how long each took.
#
#   scripts/test-preset.sh PRESET       mingw-x64, mingw-x86 or native

set -eu
cd "$(dirname "$0")/.."
preset=$1
times=build/$preset.times
: >"$times"
[ "$preset" != native ] || echo 19 2>/dev/null >/proc/self/autogroup || :

# What failed is told by the status of the step; a step that fails ends the run.
step() {
    name=$1
    shift
    begun=$(date +%s)
    status=0
    "$@" || status=$?
    echo "$name $(($(date +%s) - begun))" >>"$times"
    [ "$status" -eq 0 ] || exit "$status"
}
step configure cmake --preset "$preset"
step build cmake --build --preset "$preset"
step test ctest --preset "$preset"
