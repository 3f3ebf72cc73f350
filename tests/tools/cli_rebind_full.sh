# SPDX-License-Identifier: MIT
# A full disk costs nothing: no half file is left. Skipped where no small file system can be mounted.
. "$(dirname "$0")/rebind.bash"

disk=$scratch/disk
mkdir "$disk"
mount -t tmpfs -o size=64k none "$disk" 2>"$scratch/err" || {
    cat "$scratch/err"
    echo 'skipped: no small file system can be mounted here; root can'
    exit 77
}
trap 'end_samples; umount "$disk"; rm -rf "$scratch"' EXIT

kibibytes()
{
    echo $((($(stat -c %s "$1") + 4095) / 4096 * 4))
}

program=$programs/$own/dropin_static.exe
used=$(kibibytes "$program") library=$(kibibytes "$bin/pss.dll")
failed=0 done=0

# From hardly any room to enough of it: for the library and the new form.
for percent in 0 10 50 90 99 100 102 105 120 300; do
    rm -rf "${disk:?}"/*
    mount -o remount,size=$((used + 8 + (library + used) * percent / 100))k "$disk"
    cp "$program" "$disk/program.exe"
    run rebind "Z:$disk/program.exe"
    if [ "$status" -eq 0 ]; then
        done=$((done + 1))
        check 'the original' cmp -s "$disk/program.exe.pss-backup" "$program"
        check 'the library' cmp -s "$disk/pss.dll" "$bin/pss.dll"
    else
        failed=$((failed + 1))
        expect_err 'cannot be written: the disk is full; make room'
        check 'the program stays' cmp -s "$disk/program.exe" "$program"
        check 'nothing else is there' test "$(ls -A "$disk")" = program.exe
    fi
done
check "both came to pass ($done well, $failed not)" test "$done" -gt 0 -a "$failed" -gt 2

finish
