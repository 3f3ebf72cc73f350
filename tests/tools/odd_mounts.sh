# SPDX-License-Identifier: MIT
# No /proc, a prefix that cannot be written to, a temporary directory that is full: seen by nobody else.
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/odd.bash"

if ! can_mount; then
    skip 'nothing can be mounted here'
    finish_odd
fi
make_own_prefix

# run_mounted MOUNTS ARGUMENT...: pss.exe and a server of its own behind these mounts.
run_mounted()
{
    local mounts=$1
    shift
    end_own
    command="pss $* behind: $mounts"
    out=$(privately "$mounts && '$own' '$bin/pss.exe' $*; status=\$?; '$own' --end; exit \$status" 2>"$scratch/err")
    status=$?
    err=$(cat "$scratch/err")
}

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

run_mounted "mount --bind '$own_prefix' '$own_prefix' && touch '$own_prefix/.idle.lock' && { [ -p '$own_prefix/.idle' ] || mkfifo '$own_prefix/.idle'; } && mount -o remount,ro,bind '$own_prefix'" show self --all --clone
expect_status 0
expect_out '^Clone'

finish_odd
