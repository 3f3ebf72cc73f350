# SPDX-License-Identifier: MIT
# The examples run and say what they promise.
. "$(dirname "$0")/cli.bash"

run_program hello_link
expect_status 0
check "one line" test "$(wc -l <<<"$out")" -eq 1
expect_out '^parent process: [0-9]+'

run_program hello_loadlibrary
expect_status 0
expect_out '^threads: [1-9]'

run_program hello_cpp
expect_status 0
expect_out '^handles: ([1-9][0-9]*) of \1 walked, [0-9]+ have a name'

finish
