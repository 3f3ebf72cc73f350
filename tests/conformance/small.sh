#!/bin/sh
# SPDX-License-Identifier: MIT
# Takes the mark off a program that says it can do with addresses above 2 GB: small.sh PROGRAM

set -eu

# number OFFSET BYTES
number() {
    od -An -t "u$2" -j "$1" -N "$2" "$program" | tr -d ' '
}

program=$1
characteristics=$(($(number 60 4) + 22))
value=$(($(number "$characteristics" 1) & ~32))
printf "\\$(printf %03o "$value")" | dd of="$program" bs=1 seek="$characteristics" conv=notrunc 2>/dev/null
