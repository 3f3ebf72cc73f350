# SPDX-License-Identifier: MIT
# A program that has a pss.dll of its own keeps it under `pss run`, whether it imports it or loads it later, and so do its
# children; the API comes from elsewhere.
. "$(dirname "$0")/dropin.bash"

for name in dropin_owner dropin_owner_late; do
    run_at "$programs/$machine/owner" "$name"
    expect_fails
    run_at "$programs/$machine/owner" "$bin/pss.exe" run "$name"
    expect_works
    run_at "$programs/$machine/owner" "$bin/pss.exe" run ../dropin_parent.exe "$name.exe"
    expect_works
done

finish
