# SPDX-License-Identifier: MIT
# Helpers of the command-line tests: running pss.exe, saying what must hold, and a live process to look at.
#
# Sourced with the arguments EMULATOR BIN VERSION POINTER_SIZE CMAKE. Every test ends with `finish`.

set -u
export LC_ALL=C.UTF-8
emulator=$1 bin=$2 version=$3 pointer_size=$4 cmake=$5
scratch=$(mktemp -d)
trap 'end_samples; rm -rf "$scratch"' EXIT
failures=0
checks=0

# Runs a program and keeps $out, $err and $status.
run_program()
{
    local program=$1
    shift
    command="$program $*"
    out=$("$emulator" "$bin/$program.exe" "$@" 2>"$scratch/err")
    status=$?
    err=$(cat "$scratch/err")
}

run()
{
    run_program pss "$@"
}

# run_at DIRECTORY PROGRAM ARGUMENT...: runs a program of that directory in it.
run_at()
{
    local directory=$1
    shift
    command="$*, in $directory"
    out=$(cd "$directory" && "$emulator" "$@" 2>"$scratch/err")
    status=$?
    out=${out//$'\r'/}
    err=$(cat "$scratch/err")
}

# check WHAT COMMAND...: the command must succeed.
check()
{
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" && return
    failures=$((failures + 1))
    printf 'FAILED: %s: %s (exit status %s)\n--- output\n%s\n--- errors\n%s\n' \
        "$command" "$what" "$status" "$out" "$err"
}

expect_status()
{
    check "exit status $1" test "$status" -eq "$1"
}

# The output, or the error messages, have a line that matches the extended regular expression.
expect_out()
{
    check "output has $1" grep -Eq -- "$1" <<<"$out"
}

expect_no_out()
{
    check "output has no $1" lacks "$1"
}

lacks()
{
    ! grep -Eq -- "$1" <<<"$out"
}

expect_err()
{
    check "errors have $1" grep -Eq -- "$1" <<<"$err"
}

# What programs say that use the API with success.
expect_works()
{
    expect_status 0
    expect_out '^works$'
}

expect_empty_out()
{
    check "no output" test -z "$out"
}

# The lines of a section of the output, its heading left out.
section()
{
    awk -v heading="$1" 'index($0, heading) == 1 { on = 1; next } $0 == "" { on = 0 } on' <<<"$out"
}

# The number in a section's heading, and the number of its rows below the column titles.
section_count()
{
    sed -En "s/^$1 \(([0-9]+).*/\1/p" <<<"$out"
}

section_rows()
{
    section "$1" | tail -n +2 | wc -l
}

# Starts a copy of sample_target, or of another program that greets as it does, under the given name; sets $sample_id
# and $greeting. It ends when we close its input.
sample_inputs=()
start_sample()
{
    local name=$1 program=${2:-sample_target} input
    greeting=
    cp "$bin/$program.exe" "$scratch/$name.exe"
    mkfifo "$scratch/in-${#sample_inputs[@]}" "$scratch/out-${#sample_inputs[@]}"
    PSS_STDIN=1 "$emulator" "$scratch/$name.exe" 100 <"$scratch/in-${#sample_inputs[@]}" \
        >"$scratch/out-${#sample_inputs[@]}" &
    exec {input}>"$scratch/in-${#sample_inputs[@]}"
    IFS= read -r -t 60 greeting <"$scratch/out-${#sample_inputs[@]}"
    sample_inputs+=("$input")
    sample_id=$(sed -En "s/^$program is process ([0-9]+):.*/\1/p" <<<"$greeting")
    command=$program status=0 out=$greeting err=
    check "says its process id" test -n "$sample_id"
}

end_samples()
{
    local input
    for input in "${sample_inputs[@]}"; do
        exec {input}>&-
    done
    sample_inputs=()
    wait
}

finish()
{
    echo "$checks checks, $failures failed"
    [ "$checks" -gt 0 ] && [ "$failures" -eq 0 ]
    exit
}
