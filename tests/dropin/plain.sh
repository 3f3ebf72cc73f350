# SPDX-License-Identifier: MIT
# Without help none of the programs works under this Wine: what the other tests prove is not there anyway.
. "$(dirname "$0")/dropin.bash"

for case in "${cases[@]}"; do
    run_here $case
    expect_fails
done

# They are sound programs: the one that does not use the API runs.
run_here dropin_mirror
expect_status 42

finish
