# SPDX-License-Identifier: MIT
# Helpers of the build checks; sourced. The facts of the build come in the environment.

set -eu
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# Prints "DLL name" for each import of a program.
list_imports() {
    "$OBJDUMP" -p "$1" | tr -d '\r' | awk '
        /DLL Name:/ { dll = $3; rows = 0; next }
        dll != "" && $2 == "Hint/Ord" || $1 == "vma:" && dll != "" { next }
        dll != "" && NF == 0 { dll = ""; next }
        dll != "" && $1 ~ /^[0-9a-f]+$/ { print dll, $NF }'
}

# Prints the names that a DLL exports.
list_exports() {
    "$OBJDUMP" -p "$1" | tr -d '\r' | awk '
        /\[Ordinal\/Name Pointer\] Table/ { on = 1; next }
        on && NF == 0 { exit }
        on { print $NF }'
}
