# SPDX-License-Identifier: MIT
# Another project can use this one with add_subdirectory, without tests, and its program binds to pss.dll and runs.

. "$(dirname "$0")/common.sh"

{
    "$CMAKE" -S "$here/consumer" -B "$work/build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$TOOLCHAIN" -DPSS_SOURCE="$SOURCE" \
        -DCMAKE_BUILD_TYPE=Release &&
        "$CMAKE" --build "$work/build" &&
        "$CMAKE" --install "$work/build" --prefix "$work/installed"
} >"$work/log" 2>&1 || {
    cat "$work/log"
    fail 'the consumer does not build'
}
for file in bin/pss.dll lib/libpss.dll.a lib/libpss.a include/pss.h; do
    [ -e "$work/installed/$file" ] || fail "$file is not installed"
done

list_imports "$work/build/dynamic.exe" | grep -q '^pss\.dll PssQuerySnapshot$' || fail 'dynamic.exe does not use pss.dll'
if list_imports "$work/build/static.exe" | grep ' Pss'; then
    fail 'static.exe imports Pss names'
fi
for program in dynamic static; do
    "$RUN" "$work/build/$program.exe" || fail "$program.exe ends with $?"
done
