# SPDX-License-Identifier: MIT
# A program under `pss run` has the arguments, directory, environment, input, output and exit code that it has without.
. "$(dirname "$0")/dropin.bash"

export DROPIN_VARIABLE='a value' PSS_STDIN=1

# mirror PREFIX...: its answers with and without.
mirror()
{
    command="dropin_mirror $*"
    plain=$(cd "$programs/$machine" && "$emulator" dropin_mirror "$@" <"$scratch/input" 2>"$scratch/plain_err"; printf '\n%s' "$?")
    out=$(cd "$programs/$machine" && "$emulator" "$bin/pss.exe" run dropin_mirror "$@" <"$scratch/input" 2>"$scratch/err"; printf '\n%s' "$?")
    status=${out##*$'\n'} err=$(cat "$scratch/err")
    check 'the same output' test "$out" = "$plain"
    check 'the same errors' cmp -s "$scratch/plain_err" "$scratch/err"
    expect_status 42
}

printf 'some input\nwithout an end of line' >"$scratch/input"
mirror
expect_out '^in Z:'
expect_out '^variable a value$'
expect_out '^some input$'
expect_err '^an error'
mirror one two 'three and four' '' '"quoted"' 'back\slash' 'trailing\' 'all "of\" it\\' --help -- -x '*' '%PATH%'

# Bytes of a pipe, far more than one buffer holds.
head -c 3000000 /dev/urandom | tr '\r\032' 'xy' >"$scratch/input"
(cd "$programs/$machine" && "$emulator" "$bin/pss.exe" run dropin_mirror <"$scratch/input" 2>/dev/null) | tail -c 3000000 >"$scratch/output"
command='dropin_mirror, three megabytes' status=0 out= err=
check 'come through' cmp -s "$scratch/input" "$scratch/output"

# The end of its output is seen at once, though pss.exe waits on.
run_here "$bin/pss.exe" run -- dropin_mirror --help
expect_status 42
expect_out '^\[--help\]$'

# A console, which script(1) gives it, is the program's own, in the state that it was in.
on_console()
{
    (cd "$programs/$machine" && PSS_STDIN=1 script -qec "$(printf '%q ' "$emulator" "$@" --console "Z:$scratch/console")" \
        "$scratch/typescript" </dev/null >"$scratch/out")
    status=$?
    expect_status 42
}
command='dropin_mirror on a console' out= err=
on_console dropin_mirror
mv "$scratch/console" "$scratch/plain"
on_console "$bin/pss.exe" run dropin_mirror
check 'three handles of a console' grep -Eqx '[0-9]+ [0-9]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+' "$scratch/console"
check 'in the same state' cmp -s "$scratch/plain" "$scratch/console"

finish
