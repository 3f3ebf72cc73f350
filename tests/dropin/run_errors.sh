# SPDX-License-Identifier: MIT
# What `pss run` cannot do it says, with the exit status of env and its like, and nothing is left running.
. "$(dirname "$0")/dropin.bash"

run run
expect_status 2
expect_err 'a program is missing'
run run --unknown dropin_static
expect_status 2
expect_err "no option '--unknown'"
run run --help
expect_status 0
expect_out '^Usage: pss run'

run run no-such-program
expect_status 127
expect_err "there is no program 'no-such-program'"
run run 'Z:\no\such\directory\program.exe'
expect_status 127
printf 'This is no program.' >"$scratch/text.exe"
run run "Z:$scratch/text.exe"
expect_status 126
expect_err "^pss: '.*text\.exe' is no program that this system can run"
run run "Z:$(printf '\\%.0sdirectory' {1..30})\\program.exe"
expect_status 127
expect_err 'the path of the program is too long, the system takes 259 characters'
run run ''
expect_status 127
expect_err "there is no program ''"
run run /bin/true
expect_status 125
expect_err "^pss: '/bin/true' is no Windows program: Wine has started it"

# Without its companions pss.exe says what is missing; the program does not run unhelped.
mkdir "$scratch/alone" "$scratch/one"
cp "$bin/pss.exe" "$scratch/alone"
cp "$bin/pss.exe" "$bin/pss.dll" "$scratch/one"
for directory in alone one; do
    run_here "$scratch/$directory/pss.exe" run dropin_mirror
    expect_status 125
    expect_err 'pss-shim\.dll for the machine of .dropin_mirror. is not there'
    expect_no_out '^in '
done

# Any directory will do.
mkdir -p "$scratch/ein böses Verzeichnis, 目录/x86" "$scratch/ein böses Verzeichnis, 目录/x64"
cp "$bin"/pss*.exe "$bin"/pss*.dll "$scratch/ein böses Verzeichnis, 目录"
for below in x86 x64; do
    [ ! -d "$bin/$below" ] || cp "$bin/$below"/pss* "$scratch/ein böses Verzeichnis, 目录/$below"
done
run_here "$scratch/ein böses Verzeichnis, 目录/pss.exe" run dropin_static
expect_works
run_here "$scratch/ein böses Verzeichnis, 目录/pss.exe" run dropin_parent "../$other/dropin_static.exe"
expect_works

# So deep that even its short name is too long for a loader. Wine 8 starts no 32-bit program there.
if [ "$pointer_size" -eq 8 ]; then
    deep=$scratch
    while [ "${#deep}" -lt 470 ]; do deep=$deep/$(printf 'd%.0s' {1..60}); done
    mkdir -p "$deep"
    cp "$bin/pss.exe" "$bin"/pss*.dll "$deep"
    run_here "$deep/pss.exe" run dropin_mirror
    expect_status 125
    expect_err '^pss: the path of the directory with pss-shim\.dll is too long: move'
    expect_no_out '^in '
fi

# A helper that fails, or is not there, is told of; the program does not run unhelped.
if [ "$pointer_size" -eq 4 ] && [ "$machine" = x64 ]; then
    mkdir -p "$scratch/helper/x64"
    cp "$bin/pss.exe" "$scratch/helper"
    cp "$bin/x64"/pss*.dll "$scratch/helper/x64"
    run_here "$scratch/helper/pss.exe" run dropin_mirror
    expect_status 125
    expect_no_out '^in '
    cp "$programs/x64/dropin_mirror.exe" "$scratch/helper/x64/pss-inject.exe"
    run_here "$scratch/helper/pss.exe" run dropin_static
    expect_status 125
    expect_err "'dropin_static' cannot be given the API: .* \(error 42\)"
    expect_no_out '^works$'
fi

# A program that dies is reported as such.
run_here "$bin/pss.exe" run dropin_lookup no-such-library.dll
expect_status 9

# Nothing that was started is there any more.
run list
expect_status 0
expect_no_out 'dropin_|pss-inject'

finish
