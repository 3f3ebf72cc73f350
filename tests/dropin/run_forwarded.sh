# SPDX-License-Identifier: MIT
# `pss run` reaches what a program imports through a DLL that only forwards it to kernel32; `pss rebind` sends it there.
. "$(dirname "$0")/dropin.bash"

run_at "$programs/$machine/forwarded" dropin_forwarded
expect_fails
run_at "$programs/$machine/forwarded" "$bin/pss.exe" run dropin_forwarded
expect_works
run_at "$programs/$machine/forwarded" "$bin/pss.exe" run "../dropin_parent.exe" dropin_forwarded.exe
expect_works
run_at "$programs/$machine" "$bin/pss.exe" run dropin_lookup forwarded/dropin_forwarding.dll
expect_works

finish
