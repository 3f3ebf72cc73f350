# SPDX-License-Identifier: MIT
# Prints a C file with one text replaced, which has to stand in it, or in one function of it, exactly once.
# function_name: the function, or "-"; the texts are in the environment: mutation_find and mutation_with.

BEGIN {
    find = ENVIRON["mutation_find"]
    with = ENVIRON["mutation_with"]
    inside = function_name == "-"
}

# A definition starts in the first column and has a body; a declaration ends before one begins.
function_name != "-" && /^[A-Za-z_]/ && match($0, "(^|[^A-Za-z0-9_])" function_name "\\(") {
    near = 1
}

near && /;$/ {
    near = 0
}

near && /^\{/ {
    inside = 1
    near = 0
}

inside && (at = index($0, find)) {
    count++
    $0 = substr($0, 1, at - 1) with substr($0, at + length(find))
    if (index(substr($0, at + length(with)), find))
        count++
}

function_name != "-" && /^\}/ {
    inside = 0
}

{
    print
}

END {
    if (count != 1) {
        printf "%s: \"%s\" is there %d times\n", FILENAME, find, count >"/dev/stderr"
        exit 1
    }
}
