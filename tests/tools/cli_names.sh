# SPDX-License-Identifier: MIT
# Processes by name: in any case, with or without .exe, in any script; and an error when several have it.
. "$(dirname "$0")/cli.bash"

start_sample pss-cli-Näme
first=$sample_id

for name in pss-cli-Näme pss-cli-näme.exe PSS-CLI-NÄME.EXE; do
    run show "$name" --process
    expect_status 0
    expect_out "^Process $first pss-cli-Näme\.exe$"
done

for name in pss-cli pss-cli-Näme.ex pss-cli-Näme.exe.exe; do
    run show "$name"
    expect_status 1
    expect_err "^pss: no process is named "
done

start_sample pss-cli-Näme
second=$sample_id
run show pss-cli-näme
expect_status 1
expect_err "is the name of 2 processes.* ($first $second|$second $first)$"
expect_empty_out
run show "$second" --process
expect_status 0
expect_out "^Process $second "

finish
