# SPDX-License-Identifier: MIT
# Copies the stanzas of a deb822 apt source file that name the Debian release, for all architectures and with sources.
# Variables: codename, archs; suite = the release to ask for instead, or empty.

function emit(    i, line, key) {
    if (!wanted || disabled || !has_main)
        return
    for (i = 1; i <= count; i++) {
        line = lines[i]
        key = tolower(line)
        sub(/:.*/, "", key)
        if (line ~ /^[ \t]/ || (key != "types" && key != "architectures" && key != "suites" && key != "components"))
            print line
    }
    print "Types: deb" (suite == "" ? " deb-src" : "")
    print "Suites: " suites
    print "Components: main"
    print "Architectures: " archs
    print ""
}

function reset() {
    count = wanted = disabled = has_main = 0
    suites = ""
}

BEGIN { reset() }
/^[ \t]*$/ { emit(); reset(); next }
/^#/ { next }
{ lines[++count] = $0 }
tolower($1) == "enabled:" && tolower($2) ~ /^(no|false|0)$/ { disabled = 1 }
tolower($1) == "components:" { for (i = 2; i <= NF; i++) if ($i == "main") has_main = 1 }
tolower($1) == "suites:" {
    for (i = 2; i <= NF; i++) {
        if (suite != "" ? $i == codename : $i ~ "^" codename "(-updates|-security|-backports|/updates)?$") {
            wanted = 1
            if (suite == "")
                suites = suites (suites == "" ? "" : " ") $i
            else
                suites = suite
        }
    }
}
END { emit() }
