#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the conformance kit for a real Windows: build/conformance/pss-conformance.zip, with the API tests of both
# bitnesses, pss.dll, and run.cmd, which runs each test with kernel32.dll and with pss.dll; see docs/windows.md.
#
#   scripts/conformance.sh                               builds both bitnesses and makes the archive
#   scripts/conformance.sh --archive ARCH=BUILD...       makes it of what was built there; ARCH is x64 or x86
#   scripts/conformance.sh --collect DIR ARCH=BUILD...   puts what was built there into DIR
#
# The same sources give the same bytes: every file has the time of SOURCE_DATE_EPOCH, or else of the last commit.

set -eu
umask 022
LC_ALL=C TZ=UTC
export LC_ALL TZ
unset ZIPOPT ZIP
source=$(cd "$(dirname "$0")/.." && pwd)
root=$source/build/conformance

# collect ARCH BUILD KIT: the tests of one bitness with what they start and load.
collect() {
    [ -e "$2/bin/pss-conformance.exe" ] || {
        printf '%s/bin has no pss-conformance.exe: build the tests\n' "$2" >&2
        exit 1
    }
    mkdir -p "$3/$1"
    cp "$2"/bin/api_*.exe "$2"/bin/open_*.exe "$2"/bin/pss-test-target*.exe "$2"/bin/pss-test-hostile*.exe \
        "$2"/bin/pss-test-plug-in*.dll "$2/bin/pss-test-detach.dll" "$2/bin/pss.dll" "$2/bin/pss-conformance.exe" "$3/$1/"
    for other in x64 x86; do
        [ ! -d "$2/bin/$other" ] || mkdir -p "$3/$1/$other"
        [ ! -d "$2/bin/$other" ] || cp "$2/bin/$other/pss.dll" "$3/$1/$other/"
    done
}

# The texts have the ends of lines that programs of Windows before 10 expect.
add_texts() {
    for file in tests/conformance/run.cmd tests/conformance/known-differences.txt LICENSE docs/windows.md; do
        sed 's/$/\r/' "$source/$file" >"$1/${file##*/}"
    done
    version=$(sed -n 's/^project(pss VERSION \([0-9.]*\) .*/\1/p' "$source/CMakeLists.txt")
    commit=$(git -C "$source" describe --always --dirty 2>/dev/null || echo unknown)
    printf 'kit: pss.dll %s, commit %s\n' "$version" "$commit" >"$1/version.txt"
}

# build ARCH PROCESSOR
build() {
    printf 'Building %s (log: build/conformance/%s.log)\n' "$1" "$1"
    {
        PSS_DEPS_DIR=${PSS_DEPS_DIR:-$source/build/deps} cmake -S "$source" -B "$root/$1" -G Ninja \
            "-DCMAKE_TOOLCHAIN_FILE=$source/cmake/mingw-$2.cmake" -DCMAKE_BUILD_TYPE=RelWithDebInfo &&
            cmake --build "$root/$1"
    } >"$root/$1.log" 2>&1 </dev/null || {
        tail -n 40 "$root/$1.log" >&2
        exit 1
    }
}

# processor FILE: for which processor a program was built, by its PE header.
processor() {
    header=$(od -An -t u4 -j 60 -N 4 "$1" | tr -d ' ')
    case $(od -An -t x2 -j "$((header + 4))" -N 2 "$1" | tr -d ' ') in
    8664) echo x86_64 ;;
    014c) echo i686 ;;
    esac
}

# Helpers of the other bitness lie among the tests.
strip_symbols() {
    find "$1" -name '*.exe' -o -name '*.dll' | while read -r file; do
        "$(processor "$file")-w64-mingw32-strip" -p "$file"
    done
}

make_zip() {
    if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
        SOURCE_DATE_EPOCH=$(git -C "$source" log -1 --format=%ct) || {
            echo 'The time of the sources is not known: set SOURCE_DATE_EPOCH' >&2
            exit 1
        }
    fi
    chmod -R u=rwX,go=rX "$1"
    find "$1" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
    rm -f "$1.zip"
    (cd "${1%/*}" && find "${1##*/}" -type f | sort | zip -X -q -9 -@ "${1##*/}.zip")
    printf '%s\n' "$1.zip"
}

# collect_all DIR ARCH=BUILD...
collect_all() {
    directory=$1
    shift
    [ $# -gt 0 ] || usage
    mkdir -p "$directory"
    for part in "$@"; do
        case $part in
        x64=* | x86=*) collect "${part%%=*}" "${part#*=}" "$directory" ;;
        *) usage ;;
        esac
    done
    add_texts "$directory"
}

# archive ARCH=BUILD...
archive() {
    kit=$root/pss-conformance
    rm -rf "$kit"
    collect_all "$kit" "$@"
    strip_symbols "$kit"
    make_zip "$kit"
}

usage() {
    sed -n '6,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

case ${1-} in
--collect)
    [ $# -gt 1 ] || usage
    shift
    collect_all "$@"
    ;;
--archive)
    shift
    archive "$@"
    ;;
'')
    . "$source/scripts/packages.sh"
    need_packages $packages_windows zip
    mkdir -p "$root"
    build x64 x86_64
    build x86 i686
    archive x64="$root/x64" x86="$root/x86"
    ;;
*) usage ;;
esac
