# SPDX-License-Identifier: MIT
# find_package(pss) takes the package only where it fits: the version, the system, the bitness, the components, and the
# import library of the linker's format.

. "$(dirname "$0")/common.sh"

DESTDIR=$work/root "$CMAKE" --install "$BUILD" --prefix / --component development >"$work/log"
tree=$work/root
own=8 other=4
[ "$ARCH" = x64 ] || own=4 other=8

# expect ANSWER [OPTION...]: what a project with these settings is told; the first three options can be overridden.
expect() {
    answer=$1
    shift
    "$CMAKE" -S "$here/finder" -B "$work/build" -G Ninja -DTREE="$tree" -DPOINTER_SIZE=$own -DTARGET_IS_WINDOWS=1 \
        -DTARGET_IS_MSVC=0 -DWANTED= -DARCHITECTURE= "$@" >"$work/log" 2>&1 || {
        cat "$work/log"
        fail "the project with $* cannot be configured"
    }
    rm -rf "$work/build"
    told=$(sed -n 's/^-- answer //p' "$work/log")
    [ "$told" = "$answer" ] || fail "the answer to a project with '$*' is '$told', not '$answer'"
}

both='1 pss::pss pss::static lib/libpss.dll.a'
minor=${VERSION%.*}
expect "$both"
expect "$both" -DWANTED="$minor"
expect "$both" "-DWANTED=$VERSION;EXACT"
expect "$both" '-DWANTED=COMPONENTS;shared;static'
expect 0 -DWANTED="${minor%.*}.$((${minor#*.} + 1))"
expect 0 -DWANTED="$minor.999"
expect 0 -DWANTED=99
expect 0 -DPOINTER_SIZE=$other
expect 0 -DTARGET_IS_WINDOWS=0
expect 0 -DARCHITECTURE=ARM64
expect "$both" -DARCHITECTURE=x64

if [ -e "$tree/lib/pss.lib" ]; then
    expect '1 pss::pss pss::static lib/pss.lib' -DTARGET_IS_MSVC=1
    rm "$tree/lib/pss.lib"
fi
expect '0 pss::static' -DTARGET_IS_MSVC=1
expect '1 pss::static' -DTARGET_IS_MSVC=1 '-DWANTED=COMPONENTS;static'
expect "$both" '-DWANTED=OPTIONAL_COMPONENTS;shared;other'
expect "0 ${both#1 }" '-DWANTED=COMPONENTS;other'
rm -f "$tree/lib/libpss.a"
expect '1 pss::pss lib/libpss.dll.a'
expect '0 pss::pss lib/libpss.dll.a' '-DWANTED=COMPONENTS;static'
