# SPDX-License-Identifier: MIT
# Directories that are full, read-only or nowhere, output that nobody takes, a variable with nonsense, one processor: what
# can be done is done, and what cannot is said.
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/odd.bash"

# Nothing is written but the output.
with_temp()
{
    command="show self --all --clone with TEMP=$1"
    out=$("$emulator" cmd.exe /c "set TEMP=$1&& set TMP=$1&& $2 show self --all --clone" 2>"$scratch/err")
    status=$?
    err=$(cat "$scratch/err")
    expect_status 0
    expect_out '^Clone'
}
program="Z:${bin//\//\\}\\pss.exe"
with_temp 'Q:\nowhere' "$program"
with_temp 'Z:\proc' "$program"
with_temp 'Z:\dev\full' "$program"

# Output that cannot be written is no success, and the reason is told where it can be.
for arguments in 'show self --all' 'show self --all --json' list 'help show' --version 'read self 0x7ffe0000 64'; do
    command="pss $arguments >/dev/full" out=
    # shellcheck disable=SC2086
    "$emulator" "$bin/pss.exe" $arguments >/dev/full 2>"$scratch/err"
    status=$?
    err=$(cat "$scratch/err")
    expect_status 1
    expect_err '^pss: cannot write to the standard output'
done
command='pss show self >&-' out=
"$emulator" "$bin/pss.exe" show self >&- 2>"$scratch/err"
status=$?
err=$(cat "$scratch/err")
expect_status 1
command='pss show 4294967292 2>/dev/full' err=
"$emulator" "$bin/pss.exe" show 4294967292 2>/dev/full
status=$?
expect_status 1

# Some text for a variable, which is no 0: the system is asked, and has no API of its own here.
for value in '' 1 00 '0 0' 'no' "$(printf '0%.0s' $(seq 5000))" $'\xff\xfe'; do
    command="pss --version with PSS_FORWARD=${value:0:20}"
    out=$(PSS_FORWARD=$value "$emulator" "$bin/pss.exe" --version 2>"$scratch/err")
    status=$?
    err=$(cat "$scratch/err")
    expect_status 0
    expect_out "^pss $version"
done

# One processor for the program, while its server has all.
if taskset -c 0 true 2>/dev/null; then
    command='pss show self --all --clone on one processor'
    out=$(taskset -c 0 "$emulator" "$bin/pss.exe" show self --all --clone --repeat 5 2>"$scratch/err")
    status=$?
    err=$(cat "$scratch/err")
    expect_status 0
    expect_out '^Clone'
else
    skip 'the first processor cannot be chosen'
fi

finish_odd
