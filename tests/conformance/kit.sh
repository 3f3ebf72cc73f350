#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the conformance kit under Wine as a user of Windows runs it, in a directory with a blank in its name, and reads what
# it wrote.
#
#   kit.sh good    some of its tests, with PSS_SOAK all of them
#   kit.sh bad     programs that crash, hang, fail and leave things behind, and a kit that is not right

. "$SOURCE/tests/build/common.sh"

kit="$work/the kit"
sh "$SOURCE/scripts/conformance.sh" --collect "$kit" "$ARCH=$BUILD"

# run STATUS [ARGUMENT...]: runs the kit, which has to end with this status, and leaves no process behind.
run() {
    expected=$1
    shift
    status=0
    (cd "$kit" && "$RUN" cmd.exe /c run.cmd "$@") >"$work/output" 2>&1 || status=$?
    cat "$work/output"
    [ "$status" -eq "$expected" ] || fail "run.cmd $* ended with $status instead of $expected"
    ! grep -aF "${work##*/}" /proc/[0-9]*/cmdline 2>/dev/null | grep -aF '.exe' || fail 'a process is left behind'
    [ ! -e "$kit/results/pss-conformance-temporary" ] || fail 'the temporary files are left behind'
}

# has TEXT [FILE]: a report has it, the one of plain text if no other is named.
has() {
    grep -qF -- "$1" "$kit/results/${2:-report.txt}" || fail "${2:-report.txt} does not have: $1"
}

good() {
    # All of it once, and no test for an hour.
    if [ -n "${PSS_SOAK:-}" ]; then
        unset PSS_SOAK
        run 0
    else
        run 0 query walk duplicate_matrix open
    fi
    has 'wine: '
    has "$ARCH pss.dll: the API is there and works"
    has "$ARCH kernel32: API missing: "
    has "$ARCH API missing passed      not compared          walk: test_walk_snapshot_data_never_changes"
    has 'skipped     does not apply        open_system_clone: test_fork_ends_with_its_last_handle'
    has 'pss.dll: this system has no NtCreateProcessEx'
    has "$ARCH API missing passed      not compared          duplicate_matrix: test_duplicate_of_everything_answers_alike_in_the_other_bitness"
    has ': class 64 '
    has '<title>pss.dll conformance</title>' report.html
    has "<testsuite name=\"$ARCH pss.dll walk\">" report.xml
    has 'class 64 ' report.xml
}

sample() {
    for how in "$@"; do
        cp "$BIN/conformance_sample.exe" "$kit/$ARCH/api_sample_$how.exe"
    done
}

known() {
    printf 'test test_one\nlibrary pss.dll\nsystem %s\nwhy %s\nsource none\n' "$1" "$2" >"$kit/known-differences.txt"
}

bad() {
    sample crashes hangs fails leaves
    run 1 --limit 5 sample_crashes sample_hangs sample_fails sample_leaves
    has 'API missing CRASHED     DIFFERS               sample_crashes: test_one'
    has 'its program ended with code 0xc0000420'
    has 'API missing TIMED OUT   DIFFERS               sample_hangs: test_one'
    has 'it was ended after 5 seconds'
    has 'API missing FAILED      DIFFERS               sample_fails: test_one'
    has 'API missing passed      not compared          sample_leaves: test_one'
    has "left behind: $ARCH pss.dll sample_leaves: 1 processes, which were ended, 1 files, removed"
    ! "$RUN" reg.exe query HKCU | grep -F pss-test-key- || fail 'a key is left behind'
    has '&lt;what&gt; &amp; &quot;why&quot;' report.html
    echo 'not a program' >"$kit/$ARCH/api_sample_none.exe"
    run 0 sample_none
    has 'API missing cannot run  does not apply        sample_none: (the program)'
    has 'it cannot be started: error 193'
    known wine 'it is made to fail'
    run 0 sample_fails
    has 'API missing FAILED      known difference      sample_fails: test_one'
    has 'known: it is made to fail'
    has '<skipped message="it is made to fail">' report.xml
    run 1 sample_leaves
    has 'API missing passed      KNOWN DIFFERENCE GONE sample_leaves: test_one'
    known windows 'it is of another system'
    run 1 sample_fails
    other=x86
    [ "$ARCH" = x64 ] || other=x64
    mkdir -p "$kit/$other"
    cp "$kit/$ARCH/api_sample_none.exe" "$kit/$other/pss-conformance.exe"
    cp "$kit/$ARCH/api_sample_none.exe" "$kit/$other/"
    (cd "$kit" && "$RUN" "$ARCH/pss-conformance.exe" sample_none) || fail 'a bitness that cannot run is a failure'
    has "$other not run     cannot run  does not apply        (all programs): (the program)"
    rm -r "$kit/$other"
    run 2 no_such_test
    grep -q 'no program is called no_such_test' "$work/output" || fail 'the wrong name is not told'
    run 2 --limit 0
    known nowhere 'there is no such system'
    run 2 sample_fails
    grep -q 'line 3 is wrong' "$work/output" || fail 'the wrong line is not told'
}

"$1"
