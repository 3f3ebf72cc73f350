# SPDX-License-Identifier: MIT
# A process that is stopped from the Unix side answers nothing: what needs its threads' contexts fails in bounded time,
# the rest works, and when it goes on it is as before.
. "$(dirname "$0")/cli.bash"

start_sample pss-cli-stopped
id=$sample_id
for pid in $(pgrep -f 'pss-cli-stopped\.exe'); do
    case $(readlink "/proc/$pid/exe") in
    */wine*) break ;;
    esac
    pid=
done
check "is a process of the host" test -n "$pid"
trap 'kill -CONT "$pid"; end_samples; rm -rf "$scratch"' EXIT

kill -STOP "$pid"
run list
expect_status 0
expect_out "^ *$id .*pss-cli-stopped"
run show "$id" --contexts
expect_status 1
expect_err '^pss: .*failed: error 121 '
kill -CONT "$pid"

run show "$id" --contexts
expect_status 0
expect_out '^Contexts'
finish
