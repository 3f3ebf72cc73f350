# SPDX-License-Identifier: MIT
# A command line that makes no sense: exit status 2, a reason, a pointer to the help and no output.
. "$(dirname "$0")/cli.bash"

expect_usage()
{
    local reason=$1
    shift
    run "$@"
    expect_status 2
    expect_err "^pss: .*$reason"
    expect_err "^Try 'pss "
    expect_empty_out
}

expect_usage "a command is missing"
expect_usage "no command 'dance'" dance
expect_usage "no command '--bogus'" --bogus
expect_usage "no command 'dance'" help dance
expect_usage "'more' is one argument too many" help show more
expect_usage "'more' is one argument too many" list more
expect_usage "option '--bogus'" list --bogus
expect_usage "is missing" show
expect_usage "is missing" show --all
expect_usage "also 'other'" show self other
expect_usage "option '--bogus'" show self --bogus
expect_usage "option '-x'" show -x self
expect_usage "option '-x'" show self -xh
expect_usage "'--al=1': the option takes no value" show self --al=1
expect_usage "'--repeat' needs a value" show self --repeat
for count in 0 -1 x 3x '' 100001 99999999999999999999; do
    expect_usage "--repeat needs a number" show self "--repeat=$count"
done

expect_usage "a process id, a name or 'self' is missing" read
expect_usage "an address is missing" read self
expect_usage "a length is missing" read self 0x1000
expect_usage "'more' is one argument too many" read self 0x1000 16 more
expect_usage "option '--bogus'" read self 0x1000 16 --bogus
expect_usage "option '--json'" read self 0x1000 16 --json
expect_usage "'--output' needs a value" read self 0x1000 16 --output
expect_usage "--output needs the name of a file" read self 0x1000 16 --output=
for address in '' x 0x 0xg 10g 4K -4096 +1 ' 1' 1.5 18446744073709551616 0x10000000000000000; do
    expect_usage "ADDRESS is a number|option '-4'" read self "$address" 16
done
for length in '' x 0 0x0 0K 0x -1 1.5 1T 1KB K 18446744073709551616 17179869184G; do
    expect_usage "LENGTH is a number|option '-1'" read self 0x1000 "$length"
done
last=0xffffffff
[ "$pointer_size" -eq 4 ] || last=0xffffffffffffffff
expect_usage "beyond the last address, $last" read self "$last" 2
expect_usage "beyond the last address, $last" read self 0x1000 "${last%fff}001"
if [ "$pointer_size" -eq 4 ]; then
    expect_usage "beyond the last address" read self 0x100000000 1
    expect_usage "beyond the last address" read self 1 4G
else
    expect_usage "beyond the last address" read self 2 0xffffffffffffffff --output -
fi

expect_usage "a file or directory is missing" rebind
expect_usage "a file or directory is missing" rebind --recursive
expect_usage "needs a name" rebind ''
expect_usage "option '--bogus'" rebind file.exe --bogus
expect_usage "option '-x'" rebind -x file.exe
expect_usage "'--dry-run=1': the option takes no value" rebind --dry-run=1 file.exe
expect_usage "'--output' needs a value" rebind file.exe --output
expect_usage "--output needs the name of a file or directory" rebind file.exe --output=
expect_usage "there is no --output" rebind file.exe --restore --output other.exe

finish
