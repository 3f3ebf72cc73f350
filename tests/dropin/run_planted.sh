# SPDX-License-Identifier: MIT
# DLLs that lie in the current directory and in those of PATH, with the names of ours and of the system's, are not loaded:
# not by pss.exe, not by its helper, not into the programs that `pss run` helps.
. "$(dirname "$0")/dropin.bash"

here=$scratch/here
path=$scratch/path
mkdir "$here" "$path" "$scratch/program"

# plant MACHINE: every name that is looked for by us, is imported by us, or is often planted.
plant()
{
    local name directory
    for directory in "$here" "$path"; do
        for name in pss pss-shim api-ms-win-core-processsnapshot-l1-1-0 ntdll kernel32 kernelbase msvcrt advapi32 user32 version \
            dbghelp dbgcore psapi cryptbase wow64 wow64cpu; do
            cp "$programs/$1/dropin_planted.dll" "$directory/$name.dll"
        done
        # Run in place of the helper it would run the program instead of helping it.
        cp "$programs/$1/dropin_mirror.exe" "$directory/pss-inject.exe"
    done
}

run_planted()
{
    WINEPATH="Z:${path//\//\\}" run_at "$here" "$@"
}

expect_none_loaded()
{
    check 'no planted DLL is loaded' test -z "$(find "$scratch" -name '*.loaded')"
}

# What is planted would be noticed.
plant "$machine"
cp "$programs/$machine/dropin_planted.dll" "$here/planted-here.dll"
cp "$programs/$machine/dropin_planted.dll" "$path/planted-path.dll"
for place in here path; do
    run_planted "$programs/$machine/dropin_late.exe" "planted-$place.dll"
    check "a DLL that a program names is loaded from $place" rm "$scratch/$place/planted-$place.dll.loaded"
done

own=x64
[ "$pointer_size" -eq 8 ] || own=x86
for arch in $(printf '%s\n' "$machine" "$own" | sort -u); do
    plant "$arch"
    run_planted "$bin/pss.exe" --version
    expect_status 0
    run_planted "$bin/pss.exe" list
    expect_status 0
    run_planted "$bin/pss.exe" show self --all --clone
    expect_status 0
    run_planted "$bin/pss.exe" run "$programs/$machine/dropin_static.exe"
    expect_works
    run_planted "$bin/pss.exe" run "$programs/$machine/dropin_delay.exe"
    expect_works
    run_planted "$bin/pss.exe" run "$programs/$machine/dropin_lookup.exe" kernel32.dll
    expect_works
    run_planted "$bin/pss.exe" run "$programs/$machine/dropin_parent.exe" "$windows_directory\\dropin_static.exe"
    expect_works
    expect_none_loaded
done

# What a rebound program gets beside it is ours as well.
cp "$programs/$machine/dropin_static.exe" "$scratch/program"
run_planted "$bin/pss.exe" rebind ../program/dropin_static.exe
expect_status 0
source=$bin
[ "$machine" = "$own" ] || source=$bin/$machine
check 'the pss.dll of this build' cmp -s "$source/pss.dll" "$scratch/program/pss.dll"
run_planted "$scratch/program/dropin_static.exe"
expect_works
expect_none_loaded

finish
