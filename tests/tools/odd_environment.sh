# SPDX-License-Identifier: MIT
# What the user's environment says to Wine changes nothing for the programs of this build.
. "$(dirname "$0")/cli.bash"

start_sample pss-odd-environment
mkdir "$scratch/a b" "$scratch/other prefix"
out=$(WINEDLLOVERRIDES='winedbg.exe=b;pss=d' WINEDEBUG=+all WINEPREFIX="$scratch/other prefix" WINEARCH=win32 \
    WINELOADER=/nonexistent WINESERVER=/nonexistent WINEDLLPATH=/nonexistent DISPLAY=:99 LANG=de_DE.UTF-8 \
    LC_ALL=C TMPDIR="$scratch/a b" "$emulator" "$bin/pss.exe" show "$sample_id" 2>"$scratch/err")
status=$?
err=$(cat "$scratch/err")
command='pss show in an odd environment'
expect_status 0
expect_out "^Process $sample_id pss-odd-environment"
check "says nothing else" test -z "$err"
check "leaves another prefix alone" test -z "$(ls -A "$scratch/other prefix")"
finish
