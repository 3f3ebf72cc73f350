# SPDX-License-Identifier: MIT
# pss.dll exports exactly the thirteen names of kernel32, undecorated.

. "$(dirname "$0")/common.sh"

list_exports "$BIN/pss.dll" >"$work/names"
cat >"$work/expected" <<'NAMES'
PssCaptureSnapshot
PssDuplicateSnapshot
PssFreeSnapshot
PssQuerySnapshot
PssWalkMarkerCreate
PssWalkMarkerFree
PssWalkMarkerGetPosition
PssWalkMarkerRewind
PssWalkMarkerSeek
PssWalkMarkerSeekToBeginning
PssWalkMarkerSetPosition
PssWalkMarkerTell
PssWalkSnapshot
NAMES
diff -u "$work/expected" "$work/names" || fail 'the exports differ'

# A name table may hide exports by ordinal only.
addresses=$("$OBJDUMP" -p "$BIN/pss.dll" | grep -c 'Export RVA')
[ "$addresses" -eq 13 ] || fail "$addresses addresses are exported, not 13"
