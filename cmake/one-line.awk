# SPDX-License-Identifier: MIT
# Copies the "deb" lines of an apt sources.list that name the Debian release, for all architectures and with sources.
# Variables: codename, archs; suite = the release to ask for instead, or empty.

BEGIN { gsub(/ /, ",", archs) }
/^[ \t]*deb[ \t]/ {
    sub(/#.*/, "")
    options = ""
    rest = $0
    sub(/^[ \t]*deb[ \t]+/, "", rest)
    if (rest ~ /^\[/) {
        options = rest
        sub(/\].*/, "", options)
        sub(/^\[[ \t]*/, "", options)
        gsub(/arch[+-]?=[^ \t]*/, "", options)
        sub(/^\[[^]]*\][ \t]*/, "", rest)
    }
    n = split(rest, word, /[ \t]+/)
    main = 0
    for (i = 3; i <= n; i++)
        if (word[i] == "main")
            main = 1
    if (!main)
        next
    if (suite != "" ? word[2] != codename : word[2] !~ "^" codename "(-updates|-security|-backports|/updates)?$")
        next
    tail = word[1] " " (suite == "" ? word[2] : suite) " main"
    print "deb [arch=" archs " " options "] " tail
    if (suite == "")
        print "deb-src [" options "] " tail
}
