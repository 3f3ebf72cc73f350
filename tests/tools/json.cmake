# SPDX-License-Identifier: MIT
# Reads the JSON document in FILE and prints what MODE (GET or LENGTH) says of the member at PATH, a list.

file(READ "${FILE}" document)
string(JSON value ${MODE} "${document}" ${PATH})
execute_process(COMMAND "${CMAKE_COMMAND}" -E echo "${value}")
