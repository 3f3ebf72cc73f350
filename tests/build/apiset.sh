# SPDX-License-Identifier: MIT
# The API set's DLL exports exactly its ten names, each a forwarder to the same name of pss.dll, and imports nothing.

. "$(dirname "$0")/common.sh"

dll=$BIN/apiset/api-ms-win-core-processsnapshot-l1-1-0.dll
"$OBJDUMP" -p "$dll" | tr -d '\r' >"$work/dump"
list_exports "$dll" >"$work/names"
cat >"$work/expected" <<'NAMES'
PssCaptureSnapshot
PssDuplicateSnapshot
PssFreeSnapshot
PssQuerySnapshot
PssWalkMarkerCreate
PssWalkMarkerFree
PssWalkMarkerGetPosition
PssWalkMarkerSeekToBeginning
PssWalkMarkerSetPosition
PssWalkSnapshot
NAMES
diff -u "$work/expected" "$work/names" || fail 'the exports differ'
# Addresses and names are listed in the same order, which is that of their ordinals.
sed -n 's/.*Forwarder RVA -- //p' "$work/dump" >"$work/forwarders"
sed 's/^/pss./' "$work/expected" | diff -u - "$work/forwarders" || fail 'the forwarders differ'
if grep 'Export RVA' "$work/dump"; then
    fail 'it exports code of its own, see above'
fi

if grep 'DLL Name:' "$work/dump"; then
    fail 'it imports, see above'
fi
grep -Eq '^AddressOfEntryPoint[[:space:]]+0+$' "$work/dump" || fail 'it has an entry point'
grep -Eq '^Time/Date[[:space:]]+Thu Jan +1 00:00:00 1970' "$work/dump" || fail 'it has a time stamp'
# Without relocations and without this mark it may lie at any address.
! grep -q 'relocations stripped' "$work/dump" || fail 'it cannot be moved'
tr -d '\000' <"$dll" >"$work/text"
grep -aq "FileVersion$VERSION" "$work/text" || fail "its version is not $VERSION"
