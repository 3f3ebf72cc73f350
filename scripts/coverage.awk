# SPDX-License-Identifier: MIT
# Reads tests/native/coverage-gaps.txt, then what llvm-cov show prints with branches: says what was never reached and is
# not on that list, what is on it and was reached, and how much was reached altogether. Fails below `least` per cent.

function note(side, place, count) {
    if (!(place in hits)) {
        hits[place] = 0
        total++
        function_of[place] = file ":" name
        text_of[place] = sprintf("%s:%s: never %s", file, side, tolower(count[1]))
    }
    if (count[2] != "0")
        hits[place] = 1
}

# file:function: what: why
FILENAME == gaps {
    if (!/^#/ && NF) {
        split($0, part, ":")
        if (split($0, part, ": ") < 3 || part[3] == "") {
            printf "%s:%d: not file:function: what: why\n", gaps, FNR
            bad = 1
        }
        is_listed[part[1]] = 1
    }
    next
}

# A file, or where a function begins: in the first column, its name before the first parenthesis.
/^\/.*:$/ {
    file = $0
    sub(/:$/, "", file)
    sub(root "/", "", file)
}
/^ *[0-9]+\|[^|]*\|[A-Za-z_].*\(/ {
    name = $0
    sub(/^[^|]*\|[^|]*\|/, "", name)
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
}

# A function in a header has a branch for each file that includes it; one that was reached is enough.
/Branch \([0-9:]+\): \[True/ {
    match($0, /\([0-9:]+\)/)
    place = substr($0, RSTART + 1, RLENGTH - 2)
    split($0, side, /\[|, |\]/)
    for (i = 2; i <= 3; i++) {
        split(side[i], count, ": ")
        note(place, file ":" place ":" count[1], count)
    }
}

END {
    for (place in hits)
        if (hits[place])
            reached++
        else {
            is_missed[function_of[place]] = 1
            if (!(function_of[place] in is_listed)) {
                print text_of[place] ", and " function_of[place] " is not in " gaps | "sort -t: -k1,1 -k2,2n"
                bad = 1
            } else if (all)
                print text_of[place] | "sort -t: -k1,1 -k2,2n"
        }
    close("sort -t: -k1,1 -k2,2n")
    for (place in is_listed)
        if (!(place in is_missed))
            print gaps ": " place " was reached this time"
    printf "branch coverage: %.1f %% (%d of %d)\n", total ? 100 * reached / total : 0, reached, total
    exit bad || 100 * reached < least * total
}
