# SPDX-License-Identifier: MIT
# The manual page tells every command and option that pss.exe tells, under the right command, and no other.
#
#   manual.sh words | lint       lint needs mandoc

. "$(dirname "$0")/common.sh"

page=$SOURCE/docs/pss.1
if [ "$1" = lint ]; then
    mandoc=$(command -v mandoc) || {
        echo 'skipped: mandoc is not installed (package mandoc)'
        exit 77
    }
    "$mandoc" -T lint -W warning "$page" || fail 'the page has mistakes, see above'
    "$mandoc" -T html "$page" | grep -q '<h2 class="Ss" id="pss_show">' || fail 'the page has no HTML'
    exit 0
fi

help_of() {
    "$RUN" "$BIN/pss.exe" help "$@" | tr -d '\r'
}

# The commands of the overview, and of the page: its headings "pss COMMAND".
help_of >"$work/overview"
sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' "$work/overview" | sort >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 4 ] || fail 'pss tells fewer than four commands'
sed -n 's/^\.Ss pss //p' "$page" | sort | diff -u "$work/commands" - || fail 'the commands of the page differ'

# options_of_help, options_of_page COMMAND: the options that are explained there, one per line.
options_of_help() {
    sed -n 's/^  \(--[a-z-]*\) .*/\1/p' | sort
}

options_of_page() {
    awk -v command="$1" '
        /^\.S[sh] / { on = ($0 == ".Ss pss " command) || (command == "" && $0 == ".Sh COMMANDS") }
        on && /^\.It Fl / { print "-" $3 }' "$page" | sort
}

options_of_help <"$work/overview" >"$work/expected"
[ -s "$work/expected" ] || fail 'pss tells no options of its own'
options_of_page '' | diff -u "$work/expected" - || fail 'the general options of the page differ'
count=$(wc -l <"$work/expected")
for name in $(cat "$work/commands"); do
    help_of "$name" | options_of_help >"$work/expected"
    options_of_page "$name" | diff -u "$work/expected" - || fail "the options of pss $name differ"
    count=$((count + $(wc -l <"$work/expected")))
done
[ "$count" -ge 12 ] || fail "only $count options were found"
printf '%s commands and %s options\n' "$(wc -l <"$work/commands")" "$count"
