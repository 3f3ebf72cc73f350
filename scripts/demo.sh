#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds pss.dll and shows it at work: a sample process runs under Wine, and pss.exe captures and prints it.

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

need_packages $packages_windows

build=build/demo
mkdir -p "$build"
printf 'Building (log: %s/build.log)\n' "$build"
{
    cmake --preset mingw-x64 -B "$build" -DPSS_BUILD_TESTS=OFF -DPSS_BUILD_BENCH=OFF &&
        cmake --build "$build"
} >"$build/build.log" 2>&1 || {
    tail -n 40 "$build/build.log" >&2
    exit 1
}

# The sample lives until its standard input closes, which happens at the latest when this script ends.
scratch=$(mktemp -d)
sample=
finish() {
    exec 3>&-
    [ -z "$sample" ] || wait "$sample" || :
    "$build/wine-run" --end
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

mkfifo "$scratch/in" "$scratch/out"
printf 'Starting a sample process under Wine\n'
PSS_STDIN=1 PSS_TIMEOUT=600 "$build/wine-run" "$build/bin/sample_target.exe" <"$scratch/in" >"$scratch/out" &
sample=$!
exec 3>"$scratch/in"
read -r greeting <"$scratch/out" || {
    echo 'The sample process did not start' >&2
    exit 1
}
printf '%s\n\n' "$greeting"
pid=$(printf %s "$greeting" | sed -n 's/^.* process \([0-9]*\).*/\1/p')

printf '$ pss show %s --all --clone\n' "$pid"
"$build/wine-run" "$build/bin/pss.exe" show "$pid" --all --clone
