# SPDX-License-Identifier: MIT
# Prints each mutation of the list on a line: number, native or wine, program, hangs or -, file, function or -, what, text,
# and what takes its place, with tabs between. wanted: the numbers to print, with blanks around; all if there are none.

function complain(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text >"/dev/stderr"
    bad = 1
    exit 1
}

function value() {
    return substr($0, 7)
}

function finish() {
    if (!open)
        return
    if (what == "" || file == "" || find == "" || !has_with || program == "")
        complain("a mutation without what, in, -, + or test ends here")
    number++
    if (wanted !~ /[0-9]/ || index(wanted, " " number " "))
        printf "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", number, kind, program, hangs, file, place, what, find, with
    what = file = find = program = ""
    has_with = open = 0
}

FNR == 1 || /^$/ {
    finish()
}

/^(#|$)/ {
    next
}

{
    open = 1
}

/^what  / {
    what = value()
    next
}

/^in    / {
    file = $2
    place = NF > 2 ? $3 : "-"
    next
}

/^-     / {
    find = value()
    next
}

/^\+( |$)/ {
    with = value()
    has_with = 1
    next
}

/^test  / {
    program = $2
    kind = "native"
    hangs = "-"
    for (i = 3; i <= NF; i++) {
        if ($i == "wine")
            kind = $i
        else if ($i == "hangs")
            hangs = $i
        else
            complain("neither wine nor hangs: " $i)
    }
    next
}

{
    complain("no field of a mutation: " $0)
}

END {
    if (!bad)
        finish()
    exit bad
}
