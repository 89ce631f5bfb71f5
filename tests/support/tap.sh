# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by the tests that are scripts: lines of TAP.
#
#   tap STATUS NAME         a test: passed when the status is 0
#   ok NAME CONDITION…      a test: passed when the condition holds; otherwise the files in $shows are shown
#   skip NAME REASON        a test that could not be run
number=0
shows=

tap()
{
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

ok()
{
    tap_name=$1
    shift
    if "$@"; then
        tap 0 "$tap_name"
    else
        tap 1 "$tap_name"
        # shellcheck disable=SC2086 # several
        head -n 50 $shows | sed 's/^/#   /'
    fi
}

skip()
{
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}
