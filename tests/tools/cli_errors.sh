# SPDX-License-Identifier: MIT
# What fails at run time: exit status 1, and the message says in plain words what is wrong, or names the function, the
# code and its meaning.
. "$(dirname "$0")/cli.bash"

# Ids are multiples of 4 and far smaller than this one.
run show 4294967292
expect_status 1
expect_err "^pss: there is no process 4294967292; 'pss list' lists them$"
expect_empty_out

run show 4294967292 --json --all
expect_status 1
expect_err 'there is no process'
expect_empty_out

run read 4294967292 0x1000 16 --output -
expect_status 1
expect_err "^pss: there is no process 4294967292; 'pss list' lists them$"
expect_empty_out
run read no-such-program 0x1000 16
expect_status 1
expect_err "^pss: no process is named 'no-such-program'"
expect_empty_out

# Too long for an id, so it is a name; and a name that nobody has.
for name in 42949672960 no-such-program; do
    run show "$name"
    expect_status 1
    expect_err "^pss: no process is named '$name'"
    expect_empty_out
done

# The API's own errors are reported likewise. A 32-bit program cannot capture Wine's 64-bit services.
if [ "$pointer_size" -eq 4 ]; then
    run list
    services=$(awk '$4 == "services.exe" { print $1 }' <<<"$out")
    check "a 64-bit process to refuse" test -n "$services"
    run show "$services"
    expect_status 1
    expect_err '^pss: PssCaptureSnapshot failed: error 50 \(ERROR_NOT_SUPPORTED\): .+'
    expect_err '^pss: .*use the 64-bit one'
    expect_empty_out
fi

# What a terminal would obey never reaches it.
run show $'no\x1b[31m-\u202e\u2066\u200f\u061c\u0085such'
expect_status 1
expect_err "^pss: no process is named 'no\?\[31m-\?\?\?\?\?such'"

finish
