# SPDX-License-Identifier: MIT
# pss shows another live process: its named objects, threads and mapped file are in the output as they are.
. "$(dirname "$0")/cli.bash"

start_sample pss-cli-target
id=$sample_id

run show "$id" --all
expect_status 0
expect_out "^Process $id pss-cli-target\.exe$"
expect_out '^  Image .*\\pss-cli-target\.exe$'

# Threads: the main one and six of its own, one of which has ended and may be gone.
for name in waiter 'mutex owner' 'high priority' suspended reader; do
    expect_out "^ +[0-9]+  (alive|suspended).*  \"sample $name\"$"
done
expect_out '^ +[0-9]+  suspended 1 .*"sample suspended"$'
expect_out '^ +[0-9]+  alive +1[0-9]/10 .*"sample high priority"$'
check "at least six threads" test "$(section_count Threads)" -ge 6
check "as many rows" test "$(section_count Threads)" -eq "$(section_rows Threads)"
check "a context per living thread" test "$(section 'Contexts' | grep -c ' [re]ip 0x')" -eq \
    "$(section Threads | grep -Ec '^ +[0-9]+  (alive|suspended)')"
expect_no_out '[re]ip 0x0+ '

# Handles.
expect_out "  Event  .*\\\\pss-sample-$id-event  \[manual-reset, signaled\]$"
expect_out "  Mutant  .*\\\\pss-sample-$id-mutex  \[count 0(, owned by thread [0-9]+ of process $id)?\]$"
expect_out "  Semaphore  .*\\\\pss-sample-$id-semaphore  \[count 3 of 7\]$"
expect_out "  Section  .*\\\\pss-sample-$id-section  \[192\.0 KiB, COMMIT\]$"
expect_out "  Section  .*  \[128\.0 KiB, FILE[^]]*\]$"
expect_out "  File  .*\\\\pss-sample-$id-file$"
expect_out "  Thread  .*  \[thread [0-9]+ of process $id, ended with 0x2A, "
check "as many rows" test "$(section_count Handles)" -eq "$(section_rows Handles)"

# Memory.
expect_out "  128\.0 KiB  COMMIT   MAPPED   READWRITE  .*\\\\pss-sample-$id-file$"
expect_out '  192\.0 KiB  COMMIT   MAPPED   READONLY'
expect_out ' IMAGE .*\\pss-cli-target\.exe  \[image '
check "as many rows" test "$(section_count Memory)" -eq "$(section_rows Memory)"

# It runs on: a second capture finds the same suspend count, so ours was taken back.
run show "$id" --threads
expect_status 0
expect_out '^ +[0-9]+  suspended 1 .*"sample suspended"$'
check "one suspended thread" test "$(grep -c '  suspended ' <<<"$out")" -eq 1

finish
