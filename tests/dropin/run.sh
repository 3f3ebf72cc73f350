# SPDX-License-Identifier: MIT
# `pss run` makes each of the programs work, of either machine, and leaves their files as they are.
. "$(dirname "$0")/dropin.bash"

before=$(cksum "$programs/$machine"/*.exe "$programs/$machine"/*.dll)
for case in "${cases[@]}"; do
    run_here "$bin/pss.exe" run $case
    expect_works
done
# What the program itself imports comes from pss-shim.dll at once: there is nothing that the loader misses, which on
# Windows 7 would be its end.
export PSS_WINEDEBUG=warn+module
missed='No implementation for .*\.Pss[A-Za-z]* imported'
for program in dropin_static dropin_cpp dropin_apiset; do
    run_here "$program"
    expect_err "$missed"
    run_here "$bin/pss.exe" run "$program"
    expect_works
    check "no import is missed by the loader" test -z "$(grep -aE "$missed.*$program" <<<"$err")"
done
unset PSS_WINEDEBUG

command='the files of the programs'
check 'are unchanged' test "$before" = "$(cksum "$programs/$machine"/*.exe "$programs/$machine"/*.dll)"

finish
