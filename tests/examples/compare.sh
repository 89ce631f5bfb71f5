#!/bin/sh
# SPDX-License-Identifier: MIT
# compare.sh EXPECTED PROGRAM [ARGUMENT …]: runs the program and compares what it prints with the file; it must also exit
# with 0 and say nothing on stderr. EXAMPLE_WRAPPER (a command line, such as valgrind's) goes before the program; what that
# says on stderr is shown when the program fails.
set -u
expected=$1
shift
output=$(mktemp -d) || exit 99
trap 'rm -rf "$output"' EXIT INT TERM

# shellcheck disable=SC2086 # the wrapper is a command line
${EXAMPLE_WRAPPER:-} "$@" >"$output/out" 2>"$output/err" </dev/null
status=$?

failed=0
diff -u "$expected" "$output/out" || failed=1
if [ "$status" -ne 0 ]; then
    echo "$1 ended with status $status"
    failed=1
fi
if [ -s "$output/err" ] && [ -z "${EXAMPLE_WRAPPER:-}" ]; then
    echo "$1 said on stderr what follows"
    failed=1
fi
[ "$failed" -eq 0 ] || cat "$output/err"
exit "$failed"
