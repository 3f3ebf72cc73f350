#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the release: build/pss-VERSION.zip with x64 and x86 side by side, and pss-VERSION-debug.zip with the symbols.
#
# The same sources give the same bytes, wherever they lie: every file has the time of SOURCE_DATE_EPOCH, or else of the
# last commit.

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

need_packages $packages_windows $packages_release

umask 022
LC_ALL=C TZ=UTC
export LC_ALL TZ
unset ZIPOPT ZIP
version=$(sed -n 's/^project(pss VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) || {
        echo 'The time of the sources is not known: set SOURCE_DATE_EPOCH' >&2
        exit 1
    }
fi
export SOURCE_DATE_EPOCH

root=build/package
stage=$PWD/$root/stage
release=$stage/pss-$version
symbols=$stage/pss-$version-debug
rm -rf "$stage"
mkdir -p "$release" "$symbols"

# build_bitness ARCH PROCESSOR: builds one bitness and puts it into the release.
build_bitness() {
    printf 'Building %s (log: %s/%s.log)\n' "$1" "$root" "$1"
    {
        cmake -S . -B "$root/$1" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/mingw-$2.cmake" \
            -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPSS_BUILD_TESTS=OFF -DPSS_BUILD_BENCH=OFF -DPSS_BUILD_EXAMPLES=OFF \
            -DPSS_BUILD_FOREIGN=OFF -DCMAKE_INSTALL_BINDIR="bin/$1" -DCMAKE_INSTALL_LIBDIR="lib/$1" \
            -DCMAKE_INSTALL_MANDIR=man -DCMAKE_INSTALL_DOCDIR=. &&
            cmake --build "$root/$1" &&
            cmake --install "$root/$1" --prefix "$release"
    } >"$root/$1.log" 2>&1 || {
        tail -n 40 "$root/$1.log" >&2
        exit 1
    }
}

# split_symbols ARCH PROCESSOR: strips the programs; a debugger finds their symbols in FILE.debug beside them. -p keeps
# the time stamp in the file, which is none.
split_symbols() {
    mkdir -p "$symbols/bin/$1"
    for file in "$release/bin/$1"/*.dll "$release/bin/$1"/*.exe; do
        debug=$symbols/bin/$1/${file##*/}.debug
        "$2-w64-mingw32-objcopy" -p --only-keep-debug "$file" "$debug"
        "$2-w64-mingw32-strip" -p "$file"
        "$2-w64-mingw32-objcopy" -p --add-gnu-debuglink="$debug" "$file"
    done
}

# make_zip DIRECTORY: build/<its name>.zip, sorted, with times in UTC, without the owner's numbers and habits.
make_zip() {
    name=${1##*/}
    chmod -R u=rwX,go=rX "$1"
    find "$1" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
    rm -f "build/$name.zip"
    (cd "$stage" && find "$name" -type f | sort | zip -X -q -9 -@ "../../$name.zip")
}

build_bitness x64 x86_64
build_bitness x86 i686
split_symbols x64 x86_64
split_symbols x86 i686

# On Windows this name is that of its neighbour.
rm "$release/include/ProcessSnapshot.h"
cp README.md CHANGELOG.md "$release/"
cp LICENSE "$symbols/"
(cd "$release" && find . -type f ! -name SHA256SUMS | sed 's,^\./,,' | sort | xargs sha256sum >SHA256SUMS)

make_zip "$release"
make_zip "$symbols"
(cd build && sha256sum "pss-$version.zip" "pss-$version-debug.zip")
