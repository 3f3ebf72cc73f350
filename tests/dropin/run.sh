# SPDX-License-Identifier: MIT
# `pss run` makes each of the programs work, of either machine, and leaves their files as they are.
. "$(dirname "$0")/dropin.bash"

before=$(cksum "$programs/$machine"/*.exe "$programs/$machine"/*.dll)
for case in "${cases[@]}"; do
    run_here "$bin/pss.exe" run $case
    expect_works
done
command='the files of the programs'
check 'are unchanged' test "$before" = "$(cksum "$programs/$machine"/*.exe "$programs/$machine"/*.dll)"

finish
