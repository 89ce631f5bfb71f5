#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the pawl authors
#
# What must not compile, and what the compiler says of it. Each file beside this one holds a mistake, and with -DRIGHT the
# same without it, which must compile: so a file cannot fail for another reason than the one that it is there for.
#
#   error: REGEX          the first error (a warning is one) is one line that this matches
#   only                  and it is the only one
#   language: c c++       tried as both; c alone without this line
#   todo: REASON          nothing finds the mistake yet
#
#   compile_fail.sh SOURCE_ROOT STATIC_LIBRARY      prints TAP
root=$1
library=$2
here=$root/tests/compile_fail
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"

# result NAME: a TAP line for the status of the command before it; what was said becomes its diagnostics
result()
{
    status=$?
    tap $status "$1"
    [ $status -eq 0 ] || grep -E '(error|undefined reference)' "$work/said" | sed 's/^/# /'
}

# field NAME FILE: what a line "NAME: …" of its head says
field()
{
    sed -n "s|^/\* $1: \(.*\) \*/\$|\1|p" "$2"
}

# finds FILE: does the compiler's word, in $work/said, fit the head of the file?
finds()
{
    grep 'error:' "$work/said" | head -n 1 | grep -Eq "$(field error "$1")" || return 1
    ! grep -q '^/\* only \*/$' "$1" || [ "$(grep -c 'error:' "$work/said")" -eq 1 ]
}

# try COMPILER LANGUAGE STANDARD FILE
try()
{
    name="$1: $(basename "$4" .c)"
    [ $2 = c++ ] && name="$name as C++"
    todo=$(field todo "$4")
    if ! command -v $1 >/dev/null; then skip "$name" "no $1 here"; return; fi
    compile="$1 -x $2 -std=$3 $warnings -I$root/include -c $4 -o $work/made.o"
    $compile -DRIGHT=1 >"$work/said" 2>&1
    result "$name: the right one compiles"
    ! LC_ALL=C $compile >"$work/said" 2>&1 && finds "$4"
    result "$name: the wrong one does not, and says why${todo:+ # TODO $todo}"
}

# links NAME FLAGS: does a program that makes a loop link with the library, compiled so?
links()
{
    cc -std=c11 $1 -I"$root/include" "$work/loop.c" "$library" -lpthread -o "$work/loop" >"$work/said" 2>&1
}

for file in "$here"/*.c; do
    for compiler in gcc clang; do try $compiler c c11 "$file"; done
    case $(field language "$file") in
    *c++*) for compiler in g++ clang++; do try $compiler c++ c++20 "$file"; done ;;
    esac
done

# ---- A program whose layouts are not the library's does not link, and the linker names the knob.

cat >"$work/loop.c" <<'END'
#include <pawl/pawl.h>
int main(void)
{
    struct pawl_virtual clock;
    struct pawl_loop loop;
    pawl_virtual_init(&clock);
    return pawl_loop_init(&loop, &clock.base, NULL);
}
END

if nm "$library" 2>/dev/null | grep -q ' T pawl_loop_init_time64_list$'; then mine=-DPAWL_TIMER_LIST=1; else mine=; fi
links "$mine"
result 'a program with the knobs of the library links'
{ ! links '-DPAWL_TIME_32=1' && grep -q 'pawl_loop_init_time32_list' "$work/said"; }
result 'a program with 32-bit times does not link with a library without'
if [ -n "$mine" ]; then other= symbol=pawl_loop_init_time64_radix; else other=-DPAWL_TIMER_LIST=1 symbol=pawl_loop_init_time64_list; fi
{ ! links "$other" && grep -q "$symbol" "$work/said"; }
result 'a program with other timers than the library does not link'

echo "1..$number"
