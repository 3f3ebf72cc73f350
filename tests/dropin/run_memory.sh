# SPDX-License-Identifier: MIT
# `pss run` leaves no memory in a program that is writable and executable and was not so before.
. "$(dirname "$0")/dropin.bash"

run_here dropin_regions.exe
expect_status 0
plain=$(sed -n 's/^writable and executable: //p' <<<"$out")
check 'is counted' test -n "$plain"
run_here "$bin/pss.exe" run dropin_regions.exe dropin_dll.dll
expect_works
check "no more than without it, $plain" test "$(sed -n 's/^writable and executable: //p' <<<"$out")" -le "${plain:-0}"

finish
