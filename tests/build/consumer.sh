# SPDX-License-Identifier: MIT
# Another project can use this one with FetchContent and with add_subdirectory, without tests; its programs bind to
# pss.dll or hold the library, and run. pss is installed with it only if it asks.

. "$(dirname "$0")/common.sh"
. "$here/consume.sh"

configure_consumer "$work/fetched" FetchContent -DPSS_SOURCE="$SOURCE" -DPSS_INSTALL=ON
run_cmake --build "$work/fetched"
for language in c cpp; do
    check_dynamic "$work/fetched/dynamic_$language.exe"
    check_static "$work/fetched/static_$language.exe"
done
run_cmake --install "$work/fetched" --prefix "$work/installed"
for file in bin/pss.dll lib/libpss.dll.a lib/libpss.a include/pss.h lib/cmake/pss/pss-config.cmake; do
    [ -e "$work/installed/$file" ] || fail "$file is not installed"
done

# What add_subdirectory would build is the same. With nothing to install there is no need to build it.
configure_consumer "$work/added" add_subdirectory -DPSS_SOURCE="$SOURCE"
run_cmake --install "$work/added" --prefix "$work/unasked"
[ ! -e "$work/unasked" ] || fail 'a subproject installs itself unasked'
