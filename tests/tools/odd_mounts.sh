# SPDX-License-Identifier: MIT
# A prefix that cannot be written to, and that nobody else sees so.
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/odd.bash"

if ! can_mount; then
    skip 'nothing can be mounted here'
    finish_odd
fi
make_own_prefix

run_mounted "mount --bind '$own_prefix' '$own_prefix' && touch '$own_prefix/.idle.lock' && { [ -p '$own_prefix/.idle' ] || mkfifo '$own_prefix/.idle'; } && mount -o remount,ro,bind '$own_prefix'" show self --all --clone
expect_status 0
expect_out '^Clone'

finish_odd
