#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks what no compiler sees: format, documentation, static analysis, layering, function length, licence lines.

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

need_packages $packages_windows $packages_check

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
source_directories='include exports src tools tests bench examples'

find_sources() {
    find $source_directories -type f \( -name '*.c' -o -name '*.h' -o -name '*.cpp' \) | sort
}

check_format() {
    bad=0
    for file in $(find_sources); do
        clang-format --dry-run -Werror "$file" 2>/dev/null || {
            printf '%s: run clang-format -i on it\n' "$file"
            bad=1
        }
    done
    return $bad
}

# Nothing but the seam calls the system, and includes point one way only.
check_layers() {
    ! grep -rnE --include='*.[ch]' '\b(Nt|Zw|Rtl|Ldr)[A-Z][A-Za-z0-9]*[[:space:]]*\(' exports src |
        grep -v -e '^src/nt/[a-z]*\.c:' -e '^[^:]*:[0-9]*:[[:space:]]*\(/\*\|\*\)' || return 1
    find exports src -name '*.[ch]' | sort | xargs awk -f scripts/layers.awk
}

# A command of the documentation begins its line: behind a text it is read as part of that. The formatter leaves such lines
# as they are, also those that are too long.
check_documentation() {
    find_sources | LC_ALL=C xargs awk '
        function complain(what) { printf "%s:%d: %s\n", FILENAME, FNR, what; bad = 1 }
        /\\(param|return|source|threadsafe)([^a-z]|$)/ {
            line = $0
            gsub(/[\200-\277]/, "", line)
            if (length(line) > 100)
                complain("a line of " length(line) " columns")
            sub(/^[ \t]*(\/\*\*|\*)[ \t]*\\[a-z]+/, "", line)
            if (line ~ /\\(param|return|source|threadsafe)([^a-z]|$)/)
                complain("a command of the documentation does not begin its line")
        }
        END { exit bad }'
}

# The body of a function starts and ends in the first column.
check_function_length() {
    find_sources | grep -v '\.cpp$' | xargs awk '
        /^\{/ { start = FNR }
        /^\}/ && start {
            if (FNR - start + 1 > 60) { printf "%s:%d: a function of %d lines\n", FILENAME, start, FNR - start + 1; bad = 1 }
            start = 0
        }
        FNR == 1 { start = 0 }
        END { exit bad }'
}

# Each file that is not data or a document says its licence in its first two lines.
check_licence() {
    find . \( -name .git -o -path './build' -o -path './build-*' \) -prune -o -type f \
        ! -name LICENSE ! -name '*.md' ! -name '*.json' ! -name '*.txt' ! -path '*/corpus/*' -print -o -name CMakeLists.txt -print |
        sort >"$scratch/files"
    while read -r file; do
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier: MIT' || printf '%s: no SPDX line at the top\n' "$file"
    done <"$scratch/files" >"$scratch/unlicensed"
    cat "$scratch/unlicensed"
    [ ! -s "$scratch/unlicensed" ]
}

check_tidy() {
    find src exports -name '*.c' | sort |
        xargs -P 2 -n 5 sh -c 'clang-tidy --quiet "$@" -- --target=x86_64-w64-windows-gnu -std=c11 \
            -Isrc -Iinclude -DPSS_STATIC -DWIN32_LEAN_AND_MEAN= 2>/dev/null' tidy
}

check_mutations() {
    scripts/mutations.sh --check
}

for check in format documentation layers function_length licence mutations tidy; do
    begun=$(date +%s)
    outcome=ok
    check_$check || {
        outcome=FAILED
        failures=$((failures + 1))
    }
    printf '%-7s %s, %d s\n' "$outcome" "$check" "$(($(date +%s) - begun))"
done
[ "$failures" -eq 0 ]
