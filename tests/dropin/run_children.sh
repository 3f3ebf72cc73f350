# SPDX-License-Identifier: MIT
# What a program starts under `pss run` gets the API as well: of either machine, suspended, through others, by the shell.
. "$(dirname "$0")/dropin.bash"

for child in dropin_static.exe "../$other/dropin_static.exe"; do
    run_here "$bin/pss.exe" run dropin_parent "$child"
    expect_works
    run_here "$bin/pss.exe" run dropin_parent -s "$child"
    expect_works
    run_here "$bin/pss.exe" run dropin_parent "../$other/dropin_parent.exe" dropin_parent "$child"
    expect_works
    run_here "$bin/pss.exe" run cmd.exe /c "$child"
    expect_works
done

# A batch file is a program, too; and `pss run` may run itself.
printf '@echo off\r\ndropin_apiset.exe\r\nexit 7\r\n' >"$scratch/batch.bat"
run_here "$bin/pss.exe" run "Z:$scratch/batch.bat"
expect_status 7
expect_out '^works$'
run_here "$bin/pss.exe" run "$bin/pss.exe" run dropin_static
expect_works

# A process that the program starts in the last moment of its life is not lost: the exit code is the last one's.
run_here "$bin/pss.exe" run dropin_parent dropin_parent.exe dropin_mirror.exe
expect_status 42

finish
