# SPDX-License-Identifier: MIT
# No /proc: the clone is copied by calls. Nobody else sees it so.
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/odd.bash"

if ! can_mount; then
    skip 'nothing can be mounted here'
    finish_odd
fi
make_own_prefix

# As it is usually, so that what follows is a difference: the memory files are there.
run_own show self --clone
expect_status 0
expect_out '^ *Route +.*files'

# Without them the clone is copied by calls.
run_mounted "mount -t tmpfs none /proc" show self --all --clone
if [ "$status" -eq 0 ] || [ -n "$out" ]; then
    expect_status 0
    expect_out '^ *Route +.*calls'
else
    skip "Wine does not start without /proc: $err"
fi

finish_odd
