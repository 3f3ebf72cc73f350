# SPDX-License-Identifier: MIT
# Refuses an #include that points against exports -> forward -> api -> capture -> clone -> descriptor -> base -> nt.

function layer(path,    parts, n) {
    n = split(path, parts, "/")
    return n > 1 ? parts[n - 1] : ""
}

BEGIN {
    rank["nt"] = 1
    rank["base"] = 2
    rank["descriptor"] = 3
    rank["clone"] = 4
    rank["capture"] = 5
    rank["api"] = 6
    rank["forward"] = 7
    rank["exports"] = 8
}

/^#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    own = layer(FILENAME)
    other = layer(quoted[2])
    if (!(own in rank)) {
        printf "%s: in no layer\n", FILENAME
        bad = 1
    }
    # A bare name is of the same directory or the public header.
    if (other != "" && other != own && (!(other in rank) || rank[other] >= rank[own])) {
        printf "%s:%d: %s may not include %s\n", FILENAME, FNR, own, quoted[2]
        bad = 1
    }
}

END { exit bad }
