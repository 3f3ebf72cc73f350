# SPDX-License-Identifier: MIT
# Makes the table of the README from lines "PART NAME VALUE" of scripts/soak.sh. What was not run is not in it.

{
    value[$1, $2] = $3
    if ($2 == "commit")
        order[++parts] = $1
}

# 1234567 -> 1,234,567
function grouped(number, text, rest) {
    text = sprintf("%.0f", number)
    rest = ""
    while (length(text) > 3) {
        rest = "," substr(text, length(text) - 2) rest
        text = substr(text, 1, length(text) - 3)
    }
    return text rest
}

function row(what, x64, x86, native) {
    if (x64 + x86 + native > 0)
        printf "| %s | %s | %s | %s |\n", what, cell(x64), cell(x86), cell(native)
}

function cell(number) {
    return number > 0 ? grouped(number) : ""
}

function tests_row(what, name) {
    row(what, value["x64", name], value["x86", name], value["native", name])
}

function other(what, text) {
    printf "| %s | | | %s |\n", what, text
}

END {
    print "| | x64, Wine | x86, Wine | modelled kernel |"
    print "|---|---:|---:|---:|"
    tests_row("test cases passed", "passed")
    tests_row("test cases failed", "failed")
    tests_row("test cases skipped", "skipped")
    tests_row("captures done", "captures")
    tests_row("system calls made to fail", "faults")
    tests_row("events survived in mid-capture: kill, exit, suspend, map, close ...", "events")
    tests_row("hostile processes captured", "hostile-targets")
    if (value["fuzz", "fuzz-executions"])
        other("executions of the fuzzers, without a finding", grouped(value["fuzz", "fuzz-executions"]))
    if (value["mutations", "mutations"])
        other("mutations of the sources killed by a test",
              value["mutations", "killed"] " of " value["mutations", "mutations"])
    if (value["coverage", "branches"])
        other("branches of src and exports reached by the tests",
              sprintf("%.1f %% (%d of %d)", 100 * value["coverage", "reached"] / value["coverage", "branches"],
                      value["coverage", "reached"], value["coverage", "branches"]))
    printf "\n"
    for (i = 1; i <= parts; i++)
        printf "%s%s%s at %s, %s", (i > 1 ? "; " : "Run: "), order[i],
            (value[order[i], "extent"] == "sample" ? ", a sample," : ""), value[order[i], "commit"], value[order[i], "date"]
    print "."
}
