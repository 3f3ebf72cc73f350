#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the conformance kit for a real Windows: build/conformance/pss-conformance.zip, with the API tests of both
# bitnesses, pss.dll, and run.cmd, which runs each test with kernel32.dll and with pss.dll; see docs/windows.md.
#
#   scripts/conformance.sh                           builds both bitnesses and makes the archive
#   scripts/conformance.sh --collect DIR ARCH=BUILD...   puts what was built into DIR; ARCH is x64 or x86
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
    cp "$2"/bin/api_*.exe "$2"/bin/open_*.exe "$2"/bin/pss-test-*.exe "$2"/bin/pss-test-*.dll \
        "$2/bin/pss.dll" "$2/bin/pss-conformance.exe" "$3/$1/"
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

strip_symbols() {
    x86_64-w64-mingw32-strip -p "$1"/x64/*.exe "$1"/x64/*.dll "$1"/x86/x64/*.dll
    i686-w64-mingw32-strip -p "$1"/x86/*.exe "$1"/x86/*.dll "$1"/x64/x86/*.dll
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

case ${1-} in
--collect)
    [ $# -ge 3 ] || {
        sed -n '6,7s/^# \{0,1\}//p' "$0" >&2
        exit 2
    }
    kit=$2
    shift 2
    mkdir -p "$kit"
    for part in "$@"; do
        collect "${part%%=*}" "${part#*=}" "$kit"
    done
    add_texts "$kit"
    ;;
'')
    . "$source/scripts/packages.sh"
    need_packages $packages_windows zip
    mkdir -p "$root"
    kit=$root/pss-conformance
    rm -rf "$kit"
    build x64 x86_64
    build x86 i686
    collect x64 "$root/x64" "$kit"
    collect x86 "$root/x86" "$kit"
    strip_symbols "$kit"
    add_texts "$kit"
    make_zip "$kit"
    ;;
*)
    sed -n '6,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
