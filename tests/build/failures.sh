# SPDX-License-Identifier: MIT
# docs/failures.md lists the failures that the tests of the core let a capture survive, all of them, and no other.

. "$(dirname "$0")/common.sh"

# rows_of_test TABLE: a line "SERVICE | OUTCOME" for each row of a table, whatever its lines are.
rows_of_test() {
    tr '\n' ' ' <"$SOURCE/tests/core/absorbed_$1.c" |
        grep -oE '(ABSORBED|TOLD_AS|UNCLEAR|FAILS|ROW)\([a-zA-Z_]+,[^"]*"[^"]*"\),' |
        sed -E 's/^[A-Z_]+\(([a-zA-Z_]+),[^"]*"([^"]*)"\),$/\1 | \2/; s/^SERVICE_COUNT /any /' | sort
}

# rows_of_page TITLE: the same of the table under a heading of the page: its first word and its last column.
rows_of_page() {
    awk -F ' *[|] *' -v title="## $1" '
        /^## / { on = ($0 == title) }
        on && /^\| `/ { gsub(/`/, ""); split($2, words, " "); print words[1] " | " $5 }' "$SOURCE/docs/failures.md" | sort
}

compare() {
    rows_of_test "$1" >"$work/test"
    rows_of_page "$2" >"$work/page"
    [ "$(wc -l <"$work/test")" -ge "$3" ] || fail "the test has too few rows for '$2'"
    diff -u "$work/test" "$work/page" || fail "the rows for '$2' differ"
}

compare capture 'A capture' 40
compare clone 'A clone' 25
compare shipping 'A duplicate, or a free' 15
echo 'the page has the rows of the tests'
