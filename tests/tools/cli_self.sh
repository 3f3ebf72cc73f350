# SPDX-License-Identifier: MIT
# pss shows itself: every section is there when it is asked for, and its count is the number of its rows.
. "$(dirname "$0")/cli.bash"

run show self
expect_status 0
expect_out '^Process [0-9]+ pss\.exe$'
for label in Image Parent Status Flags Created 'CPU time' Priority Affinity PEB 'Working set' Private; do
    expect_out "^  $label "
done
expect_out '^  Image .*\\pss\.exe$'
expect_out '^  Status +running$'
expect_out '^Counts$'
expect_out '^  Threads +[1-9]'
expect_out '^  Handles +[1-9]'
expect_out '^  Regions +[1-9]'
expect_out '^Performance$'
expect_out '^  total +[0-9]+ us'
expect_no_out '^(Threads|Contexts|Handles|Memory|Auxiliary pages) \('

run show self --all
expect_status 0
expect_out '^  Image .*\\pss\.exe$'
expect_out '^Contexts \([1-9]'
expect_out '^     +[re]ax 0x[0-9a-f]{8}'
expect_out '^  Thread [0-9]+$|^  Thread [0-9]+  "'
expect_out ' IMAGE .*\\pss\.exe  \[image '
expect_out '^  Committed +[1-9][0-9.]* .iB: '
expect_out '^Auxiliary pages \(1\)$'
expect_out '^Handle trace$'
expect_out '^  By type$'
for name in Threads Memory Handles; do
    count=$(section_count "$name")
    check "$name are counted" test -n "$count"
    check "$name: $count counted, as many rows" test "$count" -gt 0 -a "$count" -eq "$(section_rows "$name")"
done
check "handles by type add up" test "$(section '  By type' | awk '{ n += $1 } END { print n + 0 }')" -eq \
    "$(section_count Handles)"
for phase in total 'VA space' 'auxiliary pages' handles threads; do
    expect_out "^  $phase +[0-9]+ us"
done

# One section alone.
for name in Threads Contexts Handles Memory; do
    run show self "--${name,,}"
    expect_status 0
    expect_out "^$name \("
    expect_out '^Performance$'
    check "no other section" test "$(grep -Ec '^(Threads|Contexts|Handles|Memory|Auxiliary pages) \(|^Counts$' <<<"$out")" -eq 1
    expect_no_out '^  Image '
done
run show self --process
expect_status 0
expect_out '^  Image '
expect_no_out '^(Threads|Contexts|Handles|Memory|Auxiliary pages) \(|^Counts$'

# Least, median and most of several captures are in order.
run show self --threads --repeat 5
expect_status 0
expect_out '^Performance of 5 captures$'
check "least <= median <= most" awk '
    / us |cycles/ { rows++; if ($(NF-2) > $(NF-1) || $(NF-1) > $NF) bad = 1 } END { exit bad || rows < 4 }' \
    <<<"$(section 'Performance of 5')"

# pss finds itself in its list.
run list
expect_status 0
expect_out '^ +PID +PARENT +THREADS +NAME$'
expect_out '^ +[0-9]+ +[0-9]+ +[0-9]+  pss\.exe$'

finish
