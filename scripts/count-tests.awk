# SPDX-License-Identifier: MIT
# Counts test cases in a JUnit file of ctest; prints "passed failed skipped".
#
# A cmocka program counts with each of its cases, told by its output; any other test counts as one. A program that ends
# badly, or that starts a group of cases and does not end it, has at least one failure, whatever it printed.
# Fixtures count only when they fail.

function number(line) {
    match(line, /[0-9]+ test/)
    return substr(line, RSTART) + 0
}

/<testcase / {
    fixture = /name="fixture_/
    status = $0
    sub(/.* status="/, "", status)
    sub(/".*/, "", status)
    name = $0
    sub(/.*<testcase name="/, "", name)
    sub(/".*/, "", name)
    ok = bad = skip = groups = skip_status = 0
}
/<skipped message="SKIP_/ { skip_status = 1 }
/\[==========\] Running [0-9]+ test/ { groups++ }
/\[==========\] [0-9]+ test\(s\) run/ { groups-- }
/\[       OK \]/ { ok++ }
/\[  FAILED  \] [0-9]+ test\(s\)/ { bad += number($0) }
/\[  SKIPPED \] [0-9]+ test\(s\)/ { skip += number($0) }
/<\/testcase>/ {
    if (status != "run" && !skip_status)
        bad = bad ? bad : 1
    else if (skip_status)
        skip = skip ? skip : 1
    else if (groups != 0) {
        bad = bad ? bad : 1
        print name ": ended in the middle of its cases" >"/dev/stderr"
    } else if (ok + bad + skip == 0 && !fixture)
        ok = 1
    passed += ok
    failed += bad
    skipped += skip
}
END { print passed + 0, failed + 0, skipped + 0 }
