# SPDX-License-Identifier: MIT
# `pss rebind` makes each of the programs that import the API work, of either machine, and takes nothing away for good.

original=$6/$7
copy=$(mktemp -d)
mkdir "$copy/$7"
cp "$original"/*.exe "$original"/*.dll "$copy/$7"
set -- "${@:1:5}" "$copy" "$7"
. "$(dirname "$0")/dropin.bash"
trap 'end_samples; rm -rf "$scratch" "$copy"' EXIT
here=$programs/$machine
cp -a "$here" "$scratch/before"

# Programs that ask for the functions by name have nothing to rebind.
imports=()
for case in "${cases[@]}"; do
    [[ $case == dropin_lookup* ]] || imports+=("$case")
done

for case in "${imports[@]}"; do
    run_here $case
    expect_fails
done

run rebind --verbose "$windows_directory"
expect_status 0
for name in static.exe apiset.exe delay.exe mixed.exe cpp.exe dll.dll; do
    expect_out "dropin_$name: rebound: 6 imports from pss\.dll.*the original is beside it"
    check "keeps the original of $name" cmp -s "$original/dropin_$name" "$here/dropin_$name.pss-backup"
done
expect_out 'dropin_delay.exe: .* 6 of them delay-loaded as before'
expect_out 'dropin_mixed.exe: .* 6 of them no longer delay-loaded'
expect_out 'dropin_lookup.exe: nothing to do: imports no Pss function'
expect_out '^13 files: 7 rebound, 0 rebound before, 6 with nothing to do, 0 skipped, 0 failed'
for case in "${imports[@]}"; do
    run_here $case
    expect_works
done

# A second time there is nothing to do, byte for byte.
cp -a "$here" "$scratch/once"
run rebind "$windows_directory"
expect_status 0
expect_out '^14 files: 0 rebound, 7 rebound before, 7 with nothing to do, 0 skipped, 0 failed'
check 'changes nothing' diff -r "$scratch/once" "$here"

run rebind --restore "$windows_directory"
expect_status 0
expect_out 'dropin_static.exe: restored; pss\.dll beside it stays'
expect_out '^7 files: 7 restored, 0 failed'
rm "$here/pss.dll"
check 'all is as it was' diff -r "$scratch/before" "$here"
run_here dropin_static
expect_fails

finish
