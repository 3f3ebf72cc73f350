# SPDX-License-Identifier: MIT
# pss.dll imports from ntdll alone, and only what Windows 7 exports there.

. "$(dirname "$0")/common.sh"

list_imports "$BIN/pss.dll" >"$work/imports"
[ -s "$work/imports" ] || fail 'found no import at all'
if grep -v '^ntdll\.dll ' "$work/imports"; then
    fail 'imports from another DLL than ntdll, see above'
fi
"$OBJDUMP" -p "$BIN/pss.dll" | awk '/DLL Name:/ { print $3 }' >"$work/dlls"
[ "$(cat "$work/dlls")" = ntdll.dll ] || fail "imports from: $(cat "$work/dlls")"

cut -d ' ' -f 2 "$work/imports" | sort >"$work/names"
sort "$here/windows-exports/win7-$ARCH-ntdll.txt" | comm -23 "$work/names" - >"$work/unknown"
[ ! -s "$work/unknown" ] || fail "Windows 7's ntdll has no $(cat "$work/unknown")"
printf 'imports %s names of ntdll\n' "$(wc -l <"$work/names")"
