# SPDX-License-Identifier: MIT
# The example in Free Pascal. Its own linker makes the program; no import library is needed. Debian has the units for
# 64-bit Windows only.

. "$(dirname "$0")/common.sh"

pattern='process [0-9]+: [1-9][0-9]* threads, [0-9]+ is this one'

# compile SOURCE DIRECTORY
compile() {
    "$compiler" -n -Twin64 -Fu"$toolchain/lib/x86_64-linux-gnu/fpc/3.2.2/units/x86_64-win64/rtl" -FE"$2" -vewn -Sew \
        "$1" || fail "$1 does not build"
}

build() {
    get_toolchain pascal 'fp-compiler-3.2.2 fp-units-win-rtl-3.2.2 (of Debian 13, for any amd64 Linux)'
    compiler=$toolchain/bin/ppcx64-3.2.2
    require_start "$compiler" -iV
    compile "$SOURCE/examples/pascal/hello_pascal.pas" "$out"
    check_imports hello_pascal.exe
    make_unaware "$SOURCE/examples/pascal" "$out/unaware/source"
    compile "$out/unaware/source/hello_pascal.pas" "$out/unaware"
    check_unaware_imports hello_pascal.exe
}

run() {
    check_run "$pattern" "$out/hello_pascal.exe"
}

unaware() {
    check_unaware "$pattern" "$out/unaware/hello_pascal.exe"
}

do_stage
