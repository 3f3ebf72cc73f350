# SPDX-License-Identifier: MIT
# Built with PSS_FORWARD=OFF the library has nothing that looks for the system's API; built as usual it has.

set -eu
LC_ALL=C
export LC_ALL
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# The functions of src/forward that a library defines or uses.
forward_names() {
    "$NM" "$1" 2>/dev/null | grep -E 'pss_(forward|system_api|system_works)' || :
}

# What only forwarding looks for, in UTF-16.
names_kernel32() {
    tr -d '\000' <"$1" | grep -aq 'kernel32\.dll'
}

{ [ -n "$(forward_names "$LIBRARY")" ] && names_kernel32 "$DLL"; } ||
    fail 'the usual library has none of it: this check would prove nothing'

{
    "$CMAKE" -S "$SOURCE" -B "$work/build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$TOOLCHAIN" -DCMAKE_BUILD_TYPE=Release \
        -DPSS_FORWARD=OFF -DPSS_BUILD_TESTS=OFF -DPSS_BUILD_TOOLS=OFF -DPSS_BUILD_BENCH=OFF -DPSS_BUILD_EXAMPLES=OFF &&
        "$CMAKE" --build "$work/build" --target pss pss_static
} >"$work/log" 2>&1 || {
    cat "$work/log"
    fail 'it does not build with PSS_FORWARD=OFF'
}
names=$(forward_names "$work/build/exports/libpss.a")
[ -z "$names" ] || fail "the library has $names"
! names_kernel32 "$work/build/bin/pss.dll" || fail 'pss.dll looks for kernel32.dll'
