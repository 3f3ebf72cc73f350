# SPDX-License-Identifier: MIT
# The crash handler tells of every kind of crash, in a program of either bitness, and leaves nothing behind.
. "$(dirname "$0")/cli.bash"

own=.
other=../foreign/bin
marker=70737321 # crasher.c puts it on its stack

# Runs a program that ends its lines as Windows does.
run_example()
{
    run_program "$@"
    out=${out//$'\r'/} err=${err//$'\r'/}
}

# is_out_of_reach ADDRESS: a 64-bit program's stack may be above 4 GB, as on Windows always, where a 32-bit handler cannot
# read it. Wine 8 has it below.
is_out_of_reach()
{
    [ "$handler_digits" -eq 8 ] && [ $((0x${1:-0} >> 32)) -ne 0 ]
}

# handle HANDLER_DIRECTORY CRASHER_DIRECTORY KIND: runs the crasher below the handler.
handle()
{
    run_example "$1/crash_handler" "Z:$bin/$2/crasher.exe" "$3"
}

# No program, and no clone of one, which would have its name.
expect_nothing_left()
{
    local before=$command
    run list
    command="$before; $command"
    expect_status 0
    expect_out ' pss\.exe$'
    expect_no_out ' (crasher|crash_handler)\.exe$'
}

# The value of a register, by its name without the first letter.
register()
{
    section Registers | awk -v name="^[re]$1\$" '$1 ~ name { print $2 }'
}

# expect_crash CODE DIGITS SOURCE: what the handler prints of a crash with this exception code, in a program whose addresses
# have that many digits; its stack is read from there.
expect_crash()
{
    local code=$1 digits=$2 source=$3 ip sp offset id words last
    expect_status 0
    check "no message" test -z "$err"
    expect_out "^Exception $code at [0-9a-f]{$digits}  crasher\.exe\+0x[0-9a-f]+$"
    ip=$(register ip) sp=$(register sp)
    check "the exception's address is the instruction pointer" grep -q " at $ip " <<<"$out"
    offset=$(sed -En 's/^Exception .* crasher\.exe\+0x([0-9a-f]+)$/\1/p' <<<"$out")
    check "the module begins where one can" test $(((0x${ip:-1} - 0x${offset:-0}) % 0x10000)) -eq 0

    id=$(sed -En 's/^Stack of thread ([0-9]+), from the .*/\1/p' <<<"$out")
    check "the crashed thread" test "$(section Threads | awk '$NF == "crashed" { print $1 }')" = "$id"
    check "the worker" test "$(section Threads | grep -c '  pss\.dll+')" -eq 1
    check "a context for each thread" test "$(section Threads | grep -Evc "  ip [0-9a-f]{$digits}  sp [0-9a-f]{$digits}( |$)")" -eq 0

    expect_out "^Stack of thread [0-9]+, from the $source$"
    if is_out_of_reach "$sp"; then
        check "a 32-bit handler says that it cannot read the stack" \
            grep -Eq '^  [0-9a-f]{9,} is out of reach of a 32-bit handler$' <<<"$(section Stack)"
        expect_nothing_left
        return
    fi
    check "it begins at the stack pointer" test "$(section Stack | awk 'NR == 1 { print $1 }')" = "$sp"
    words=$(section Stack | grep -Ec "^  [0-9a-f]{$digits}  [0-9a-f]{$digits}( |$)")
    last=$(section Stack | sed -En "s/^  ([0-9a-f]{$digits})  [0-9a-f]{$digits}( .*)?\$/\1/p" | tail -1)
    check "64 words, or all to the end of the stack, which is near under Wine 10" \
        test "$words" -eq 64 -o $(((0x${last:-1} + digits / 2) % 0x1000)) -eq 0
    check "the marker" grep -Eq "^  [0-9a-f]+  0*$marker$" <<<"$(section Stack)"
    check "a return address" grep -Eq "  crasher\.exe\+0x[0-9a-f]+$" <<<"$(section Stack)"
    expect_nothing_left
}

# check_kinds HANDLER_DIRECTORY CRASHER_DIRECTORY DIGITS
check_kinds()
{
    handle "$1" "$2" null
    expect_crash c0000005 "$3" clone
    handle "$1" "$2" stack
    expect_crash c00000fd "$3" clone
    handle "$1" "$2" heap
    expect_crash c0000005 "$3" clone

    handle "$1" "$2" none
    expect_status 1
    check "no message" test -z "$err"
    check "one line" test "$out" = 'No crash reported: the program ended with status 0'
    expect_nothing_left
}

digits=$((2 * pointer_size))
handler_digits=$digits
check_kinds $own $own $digits
check_kinds $own $other $((24 - digits))
handler_digits=$((24 - digits))
check_kinds $other $own $digits

# A program that fails without a crash, no program, and no handler.
handle $own $own other
expect_status 1
expect_out '^No crash reported: the program ended with status 0x2$'
expect_err '^usage: crasher '
run_example crash_handler "Z:$bin/no-such-program.exe"
expect_status 2
expect_empty_out
expect_err '^crash_handler: cannot start the program: error 2$'
run_example crash_handler
expect_status 2
expect_err '^usage: crash_handler '
run_example crasher none
expect_status 0
expect_err '^crasher: runs without a crash handler: error 203$'

finish
