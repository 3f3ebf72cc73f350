# SPDX-License-Identifier: MIT
# A file that is a link is not renamed: that would move what others share.
. "$(dirname "$0")/rebind.bash"

# link: makes $at/store with the program, and $at/app with a link to it.
link()
{
    fresh dropin_static.exe
    mkdir "$at/store" "$at/app"
    mv "$at/dropin_static.exe" "$at/store"
    ln -s ../store/dropin_static.exe "$at/app/dropin_static.exe"
}

expect_untouched()
{
    check 'the link stays' test "$(readlink "$at/app/dropin_static.exe")" = ../store/dropin_static.exe
    check 'the program stays' cmp -s "$at/store/dropin_static.exe" "$programs/$own/dropin_static.exe"
    check 'nothing else is there' test "$(cd "$at" && find . -type f)" = ./store/dropin_static.exe
}

link
for operand in "Z:$at/app/dropin_static.exe" "Z:$at/app"; do
    for option in '' --no-backup --dry-run; do
        run rebind $option "$operand"
        expect_status 1
        expect_err 'app.dropin_static.exe: is a link, .* rebind Z:.*store.dropin_static.exe$'
        expect_untouched
    done
done

# It can be read, and its file is rebound where it is.
run rebind "Z:$at/app/dropin_static.exe" --output "Z:$at/new/"
expect_status 0
run_at "$at/new" dropin_static.exe
expect_works
rm -r "$at/new"
expect_untouched
run rebind "Z:$at/store/dropin_static.exe"
expect_status 0
check 'the link stays' test "$(readlink "$at/app/dropin_static.exe")" = ../store/dropin_static.exe
run_at "$at/store" dropin_static.exe
expect_works

# A backup beside the link, or one that is a link, is not taken for the file.
cp "$programs/$own/dropin_static.exe" "$at/app/dropin_static.exe.pss-backup"
run rebind --restore "Z:$at/app/dropin_static.exe"
expect_status 1
expect_err 'is a link, and is not replaced'
check 'the link stays' test -L "$at/app/dropin_static.exe"
rm "$at/app/dropin_static.exe"
mv "$at/app/dropin_static.exe.pss-backup" "$at/app/original"
ln -s original "$at/app/dropin_static.exe.pss-backup"
run rebind --restore "Z:$at/app/dropin_static.exe"
expect_status 1
check 'the original stays' test -f "$at/app/original"

# A link to a directory is a way like any other.
link
ln -s store "$at/way"
run rebind "Z:$at/way/dropin_static.exe"
expect_status 0
check 'the backup' cmp -s "$at/store/dropin_static.exe.pss-backup" "$programs/$own/dropin_static.exe"
run_at "$at/way" dropin_static.exe
expect_works
run rebind --restore "Z:$at/way/dropin_static.exe"
expect_status 0
rm "$at/store/pss.dll" "$at/way"
expect_untouched

finish
