# SPDX-License-Identifier: MIT
# The JSON document parses, has every list in full, and agrees with the text about a live process.
. "$(dirname "$0")/cli.bash"

start_sample pss-cli-json
id=$sample_id

# Asks CMake's JSON parser: get MEMBER... / length MEMBER...
json()
{
    "$cmake" "-DFILE=$scratch/json" "-DMODE=$1" "-DPATH=$2" -P "$(dirname "$0")/json.cmake"
}

run show "$id" --all
expect_status 0
declare -A rows
for name in Threads Handles Memory; do
    rows[$name]=$(section_rows "$name")
done

run show "$id" --all --json --repeat 3
expect_status 0
printf '%s' "$out" >"$scratch/json"
check "parses" json LENGTH threads >/dev/null
check "version" test "$(json GET version)" = "$version"
check "process id" test "$(json GET 'process;ProcessId')" = "$id"
check "threads" test "$(json LENGTH threads)" = "${rows[Threads]}"
check "handles" test "$(json LENGTH handles)" = "${rows[Handles]}"
check "regions" test "$(json LENGTH memory)" = "${rows[Memory]}"
check "threads counted" test "$(json GET 'counts;ThreadsCaptured')" = "${rows[Threads]}"
check "handles counted" test "$(json GET 'counts;HandlesCaptured')" = "${rows[Handles]}"
check "regions counted" test "$(json GET 'counts;RegionCount')" = "${rows[Memory]}"
check "auxiliary pages" test "$(json LENGTH auxiliary_pages)" = "$(json GET 'counts;AuxPagesCaptured')"
check "context length" test "$(json GET 'threads;0;SizeOfContextRecord')" = "$(json GET 'counts;ContextLength')"
check "thread's process" test "$(json GET 'threads;0;ProcessId')" = "$id"
check "repeats" test "$(json GET 'repeat;count')" = 3
check "order of repeats" test "$(json GET 'repeat;min;TotalWallClockPeriod')" -le \
    "$(json GET 'repeat;max;TotalWallClockPeriod')"
check "total time" test "$(json GET 'performance;TotalWallClockPeriod')" -gt 0
expect_out '"ThreadName": "sample waiter"'
expect_out "\"ObjectName\": \".*pss-sample-$id-event\""
expect_out "\"MappedFileName\": \".*pss-sample-$id-file\""
check "fields of a process" test "$(json LENGTH process)" -eq 26
check "fields of a thread" test "$(json LENGTH 'threads;0')" -eq 20
check "fields of a handle" test "$(json LENGTH 'handles;0')" -eq 14
check "fields of a region" test "$(json LENGTH 'memory;0')" -eq 12
check "fields of an auxiliary page" test "$(json LENGTH 'auxiliary_pages;0')" -eq 5
check "fields of the counters" test "$(json LENGTH performance)" -eq 12

run show "$id" --json
expect_status 0
printf '%s' "$out" >"$scratch/json"
check "process by default" test "$(json GET 'process;ProcessId')" = "$id"
check "counts by default" test "$(json GET 'counts;ThreadsCaptured')" = "${rows[Threads]}"
expect_no_out '"(threads|handles|memory)": \['

run list --json
expect_status 0
printf '%s' "$out" >"$scratch/json"
check "the list parses" test "$(json LENGTH '')" -ge 2
expect_out '"Name": "pss-cli-json.exe"'

finish
