# SPDX-License-Identifier: MIT
# A program that UPX has packed asks for its functions itself: that is said, and it stays; skipped without UPX.
#
# The last argument is the directory of fetched packages.
. "$(dirname "$0")/rebind.bash"

upx=$(command -v upx) || upx=$("$(dirname "$0")/../../cmake/deps.sh" "$7" upx 2>"$scratch/err")/upx
"$upx" --version >/dev/null 2>&1 || {
    cat "$scratch/err"
    echo "skipped: UPX is not installed and cannot be fetched"
    exit 77
}

fresh dropin_static.exe
"$upx" -qq "$at/dropin_static.exe" >"$scratch/err" 2>&1
command=upx status=$? out= err=$(cat "$scratch/err")
expect_status 0
cp "$at/dropin_static.exe" "$scratch/packed.exe"
run rebind "Z:$at/dropin_static.exe"
expect_status 1
expect_err "dropin_static.exe: packed, its imports are made at run time; use 'pss run'"
check 'is unchanged' cmp -s "$at/dropin_static.exe" "$scratch/packed.exe"
run rebind --verbose "Z:$at"
expect_status 0
expect_out 'skipped: packed'
check 'no other file is there' test "$(ls "$at")" = dropin_static.exe

# What it is told works.
run_at "$at" "$bin/pss.exe" run dropin_static.exe
expect_works

# What is rebound first can be packed afterwards.
fresh dropin_static.exe
run rebind "Z:$at/dropin_static.exe"
expect_status 0
"$upx" -qq "$at/dropin_static.exe" >"$scratch/err" 2>&1
command=upx status=$? out= err=$(cat "$scratch/err")
expect_status 0
run_at "$at" dropin_static.exe
expect_works

finish
