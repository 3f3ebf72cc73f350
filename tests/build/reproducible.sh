# SPDX-License-Identifier: MIT
# Two source directories give the same bytes: pss.dll and its import library.

. "$(dirname "$0")/common.sh"

build() {
    mkdir -p "$1"
    for part in CMakeLists.txt cmake exports include src; do
        cp -R "$SOURCE/$part" "$1/"
    done
    "$CMAKE" -S "$1" -B "$1/build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$TOOLCHAIN" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DPSS_BUILD_TESTS=OFF -DPSS_BUILD_TOOLS=OFF -DPSS_BUILD_BENCH=OFF -DPSS_BUILD_EXAMPLES=OFF >"$work/log" 2>&1 &&
        "$CMAKE" --build "$1/build" --target pss >"$work/log" 2>&1 || {
        cat "$work/log"
        fail "the build in $1 failed"
    }
}

build "$work/a"
build "$work/another place with a longer name"
for file in bin/pss.dll exports/libpss.dll.a; do
    cmp "$work/a/build/$file" "$work/another place with a longer name/build/$file" || fail "$file differs"
done
