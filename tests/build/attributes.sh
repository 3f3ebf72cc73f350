# SPDX-License-Identifier: MIT
# pss.dll has the safety attributes of its architecture, no time stamp, no entry point and the version of the project.

. "$(dirname "$0")/common.sh"

"$OBJDUMP" -p "$BIN/pss.dll" >"$work/dump"
expect() {
    grep -Eq "$1" "$work/dump" || fail "no line has: $1"
}
expect '^[[:space:]]*NX_COMPAT'
expect '^[[:space:]]*DYNAMIC_BASE'
[ "$ARCH" = x86 ] || expect '^[[:space:]]*HIGH_ENTROPY_VA'
expect '^Time/Date[[:space:]]+Thu Jan +1 00:00:00 1970'
expect '^AddressOfEntryPoint[[:space:]]+0+$'
expect '^MajorSubsystemVersion[[:space:]]+[45]$'

# The resource holds UTF-16; without its zero bytes the strings lie side by side.
tr -d '\000' <"$BIN/pss.dll" >"$work/text"
grep -aq 'VS_VERSION_INFO' "$work/text" || fail 'no version resource'
for key in FileVersion ProductVersion; do
    grep -aq "$key$VERSION" "$work/text" || fail "$key is not $VERSION"
done
