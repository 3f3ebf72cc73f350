# SPDX-License-Identifier: MIT
# Rebound files as readers of PE files that are not ours see them: nothing but what has to change is different.
. "$(dirname "$0")/rebind.bash"
objdump=$7 readobj=$8

# "DLL function" for each import, delayed ones as well, sorted.
list_imports()
{
    "$readobj" --coff-imports "$1" | tr -d '\r' | awk '
        /^ *Name: / { dll = $2 }
        /^ *Symbol: / { print dll, $2 }' | sort
}

# The same with the Pss functions' DLL as it has to be afterwards.
list_expected()
{
    list_imports "$1" | sed -E 's/^(KERNEL32\.dll|api-ms-\S*) Pss/pss.dll Pss/' | sort
}

# Headers and sections, but for what is known to change, and contents in memory of what is loaded.
describe()
{
    "$objdump" -p "$1" | sed -n '/^Characteristics/,/^The Data Directory/p' |
        grep -Ev '^(SizeOfInitializedData|SizeOfImage|SizeOfHeaders|CheckSum)'
    "$objdump" -p "$1" | grep '^Entry ' | grep -Ev '^Entry (1|4|b) '
    "$objdump" -h "$1" | awk '$1 ~ /^[0-9]+$/ && $2 != ".pssbind" { print $1, $2, $3, $4 }'
}

contents()
{
    local section
    for section in .text .data .rdata .idata .pdata .xdata .tls .CRT .reloc .rsrc; do
        "$objdump" -s -j "$section" "$1" 2>/dev/null | tail -n +4
    done
}

command='objdump and llvm-readobj' status=0 out= err=
for name in static.exe apiset.exe delay.exe mixed.exe cpp.exe dll.dll; do
    fresh "dropin_$name"
    before=$programs/$own/dropin_$name after=$at/dropin_$name
    run rebind "Z:$after"
    expect_status 0
    imports=$(list_imports "$after")
    check 'finds the functions' test "$(grep -c '^pss\.dll Pss' <<<"$imports")" -eq 6
    if [ "$name" = mixed.exe ]; then
        # The descriptor of delayed imports still has the names, but their slots are bound when the program starts.
        check 'has the same imports and those' test \
            "$imports" = "$({ list_imports "$before"; list_expected "$before" | grep '^pss\.dll '; } | sort)"
    else
        check 'has the same imports' test "$imports" = "$(list_expected "$before")"
    fi
    check 'has all sections and one more' test "$("$objdump" -h "$after" | grep -c '\.pssbind')" -eq 1
    check 'has headers to compare' test "$(describe "$before" | wc -l)" -gt 40
    check 'has the same headers' diff <(describe "$before") <(describe "$after")
    check 'has symbols to compare' test "$("$objdump" -t "$before" | wc -l)" -gt 3
    check 'has the same symbols' diff <("$objdump" -t "$before" | tail -n +3) <("$objdump" -t "$after" | tail -n +3)
    if [ "$name" != delay.exe ]; then # Its descriptor has another name for the DLL.
        check 'has the same contents' diff <(contents "$before") <(contents "$after")
    fi
    check 'has contents to compare' test "$(contents "$after" | wc -l)" -gt 400
done

# What a program carries behind its sections is found from the end of the file.
fresh dropin_apiset.exe
head -c 100001 /dev/urandom >"$scratch/archive"
cat "$scratch/archive" >>"$at/dropin_apiset.exe"
run rebind "Z:$at/dropin_apiset.exe"
expect_status 0
check 'the archive is at the end' cmp -s "$scratch/archive" <(tail -c 100001 "$at/dropin_apiset.exe")
run_at "$at" dropin_apiset.exe
expect_works

finish
