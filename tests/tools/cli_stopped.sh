# SPDX-License-Identifier: MIT
# A process that is stopped from the Unix side answers nothing: what needs its threads' contexts fails in bounded time,
# the rest works, and when it goes on it is as before.
. "$(dirname "$0")/cli.bash"

start_sample pss-cli-stopped
id=$sample_id
pids=
for pid in $(pgrep -f 'pss-cli-stopped\.exe'); do
    case $(readlink "/proc/$pid/exe") in
    */wine*) pids="$pids $pid" ;; # a 32-bit program may have two
    esac
done
check "is a process of the host" test -n "$pids"
trap 'kill -CONT $pids; end_samples; rm -rf "$scratch"' EXIT

# shellcheck disable=SC2086
kill -STOP $pids
run list
expect_status 0
expect_out "^ *$id .*pss-cli-stopped"
run show "$id" --contexts
expect_status 1
expect_err '^pss: .*failed: error 121 '
kill -CONT $pids

run show "$id" --contexts
expect_status 0
expect_out '^Contexts'
finish
