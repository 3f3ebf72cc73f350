# SPDX-License-Identifier: MIT
# What the README tells those who link: the order that works, the check that finds a wrong one, and the line of CMake that
# puts pss.dll beside the program. The check and the line are taken from there.

. "$(dirname "$0")/../build/common.sh"

check=$(sed -n "s/.*\`objdump -p program\.exe | \(grep '[^']*'\)\`.*/\1/p" "$SOURCE/README.md")
line=$(sed -n 's/^ *`\(add_custom_command(TARGET program .*)\)`$/\1/p' "$SOURCE/README.md")
[ -n "$check" ] && [ -n "$line" ] || fail 'the README does not tell them any more'
cp "$SOURCE/tests/build/consumer/main.c" "$work/main.c"
"$CMAKE" --install "$BUILD" --prefix "$work/tree" >"$work/log" || fail 'it cannot be installed'

# is_found PROGRAM: whether the check finds that it uses pss.dll.
is_found() {
    "$OBJDUMP" -p "$1" | tr -d '\r' | eval "$check" >/dev/null
}

# compile PROGRAM ARGUMENT...
compile() {
    program=$1
    shift
    "$CC" -I "$work/tree/include" -L "$work/tree/lib" "$@" -o "$work/$program.exe" || fail "$program does not link"
}

compile after "$work/main.c" -lpss
compile before_kernel32 "$work/main.c" -lpss -lkernel32
compile missing "$work/main.c"
compile before -lpss "$work/main.c"
compile behind_kernel32 "$work/main.c" -lkernel32 -lpss
for program in after before_kernel32; do
    is_found "$work/$program.exe" || fail "the check does not find that $program is right"
done
for program in missing before behind_kernel32; do
    ! is_found "$work/$program.exe" || fail "the check does not find that $program is wrong"
done

mkdir "$work/project"
cp "$work/main.c" "$work/project/"
{
    echo 'cmake_minimum_required(VERSION 3.25)'
    echo 'project(program LANGUAGES C)'
    echo 'find_package(pss 0.1 CONFIG REQUIRED)'
    echo 'add_executable(program main.c)'
    echo 'target_link_libraries(program PRIVATE pss::pss)'
    echo 'set_target_properties(program PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/a directory")'
    echo "$line"
} >"$work/project/CMakeLists.txt"
"$CMAKE" -S "$work/project" -B "$work/build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$TOOLCHAIN" \
    -DCMAKE_PREFIX_PATH="$work/tree" >"$work/log" 2>&1 && "$CMAKE" --build "$work/build" >>"$work/log" 2>&1 || {
    cat "$work/log"
    fail 'the project does not build'
}
cmp "$work/tree/bin/pss.dll" "$work/build/a directory/pss.dll" || fail 'pss.dll is not beside the program'
is_found "$work/build/a directory/program.exe" || fail 'the project is linked wrongly'
PSS_EXPECT='captured itself' "$RUN" "$work/build/a directory/program.exe" >"$work/said" || fail "the program ends with $?"
