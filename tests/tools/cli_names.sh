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

# A name that turns the direction of writing, or has other characters that a terminal obeys: none of them is shown, in
# the list, as the process's name, as the path of its image or as a mapped file.
start_sample $'pss-cli-\u202egpj\u2066\u200e\u061c\u0085x'
shown='pss-cli-\?gpj\?\?\?\?x\.exe$'
run list
expect_out "  $shown"
expect_no_out $'\u202e|\u2066|\u200e|\u061c|\u0085'
run show "$sample_id" --all
expect_status 0
expect_out "^Process $sample_id $shown"
expect_out "^  Image .*$shown"
expect_no_out $'\u202e|\u2066|\u200e|\u061c|\u0085'

finish
