# SPDX-License-Identifier: MIT
# All programs and DLLs of a Windows directory are read without a complaint.
. "$(dirname "$0")/rebind.bash"

for directory in system32 syswow64; do
    run rebind --verbose --dry-run --recursive "C:\\windows\\$directory"
    expect_status 0
    check 'no complaint' test -z "$err"
    expect_out ' 0 failed$'
    count=$(sed -En 's/^([0-9]+) files: .*/\1/p' <<<"$out")
    check 'more than 500 files' test "$count" -gt 500
    check 'more than 500 that were understood' test "$(grep -c ': nothing to do: ' <<<"$out")" -gt 500
    check 'only 16-bit ones passed over' test -z "$(grep ': skipped: ' <<<"$out" | grep -v 'a 16-bit program')"
done

finish
