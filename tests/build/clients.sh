# SPDX-License-Identifier: MIT
# No program of this build takes a Pss* name from kernel32, whose import library has them all; some take them from pss.dll.

. "$(dirname "$0")/common.sh"

bound=0
for program in "$BIN"/*.exe; do
    list_imports "$program" | awk '$2 ~ /^Pss/' >"$work/pss"
    if grep -v '^pss\.dll ' "$work/pss"; then
        fail "${program##*/} binds to the wrong DLL, see above"
    fi
    [ ! -s "$work/pss" ] || bound=$((bound + 1))
done
# Each of these is a client for certain.
for name in hello_link hello_cpp; do
    list_imports "$BIN/$name.exe" | grep -q '^pss\.dll PssCaptureSnapshot$' ||
        fail "$name does not import PssCaptureSnapshot from pss.dll"
done
printf '%s programs import from pss.dll\n' "$bound"
