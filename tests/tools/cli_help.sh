# SPDX-License-Identifier: MIT
# pss tells its version and explains itself.
. "$(dirname "$0")/cli.bash"

unset PSS_FORWARD
run --version
expect_status 0
check "the version, and who serves" test "$out" = "pss $version"$'\n''snapshots by pss'
export PSS_FORWARD=0
run --version
expect_status 0
check "nothing is handed on" test "$out" = "pss $version"$'\n''snapshots by pss'

for arguments in --help -h help; do
    run $arguments
    expect_status 0
    expect_out '^Usage: pss COMMAND'
    for command_name in list show read rebind run help; do
        expect_out "^  $command_name "
    done
done

for command_name in list show read rebind run help; do
    run help "$command_name"
    expect_status 0
    expect_out "^Usage: pss $command_name"
done

for command_name in list show read rebind run help; do
    run "$command_name" --help
    expect_status 0
    expect_out "^Usage: pss $command_name"
done

run help show
for option in --process --threads --contexts --handles --memory --all --clone --json --repeat; do
    expect_out "^  $option "
done

run help read
expect_out '^Usage: pss read PID\|NAME\|self ADDRESS LENGTH '
expect_out '^  --output FILE '

run help rebind
expect_out '^Usage: pss rebind FILE\|DIRECTORY\.\.\. '
for option in --recursive --dry-run --output --no-backup --no-copy --restore; do
    expect_out "^  $option "
done

finish
