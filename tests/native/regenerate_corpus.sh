#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the fuzzers' seeds anew from the built presets; needed when the block or the fuzzers' input changes.
#
#   tests/native/regenerate_corpus.sh [DIRECTORY]      DIRECTORY holds native, mingw-x64 and mingw-x86; default: build

set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
builds=$(cd "${1:-$root/build}" && pwd)
corpus=$root/tests/native/corpus

# A path of ours as Windows programs see it.
windows_path()
{
    printf 'Z:%s' "$1" | tr / '\\'
}

# From C:\, so that no path of this machine gets into a seed.
dump_real()
{
    "$1/wine-run" cmd.exe /c copy /y "$(windows_path "$1/bin/pss-test-dump-seed.exe")" 'C:\dump-seed.exe' >/dev/null
    (cd / && "$1/wine-run" cmd.exe /c "cd /d C:\\ && C:\\dump-seed.exe $(windows_path "$corpus/reader/$2")")
}

for tool in native/bin/pss-test-make-seeds native/bin/pss-test-make-pe-seeds mingw-x64/bin/pss-test-dump-seed.exe mingw-x86/bin/pss-test-dump-seed.exe; do
    [ -e "$builds/$tool" ] || { echo "build $builds/$tool first" >&2; exit 1; }
done
mkdir -p "$corpus/reader" "$corpus/calls" "$corpus/capture" "$corpus/pe"
rm -f "$corpus"/reader/* "$corpus"/calls/* "$corpus"/capture/* "$corpus"/pe/*
"$builds/native/bin/pss-test-make-seeds" "$corpus"
"$builds/native/bin/pss-test-make-pe-seeds" "$corpus/pe"
dump_real "$builds/mingw-x64" wine-x64
dump_real "$builds/mingw-x86" wine-x86
ls -l "$corpus/reader" "$corpus/calls" "$corpus/capture" "$corpus/pe"
