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

finish
