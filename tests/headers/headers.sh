#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the pawl authors
#
# Each public header compiles alone, twice, in each language that pawl is for; those of the core with nothing around them
# but stddef.h, stdint.h and stdbool.h. And a C++20 program is built on them and run.
#
#   headers.sh SOURCE_ROOT STATIC_LIBRARY [LAYOUT_FLAG …]      prints TAP
root=$1
library=$2
shift 2
layout=$*
here=$root/tests/headers
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Werror"
core="config error coro gen future async port timer loop task waiter scope combinators sync queue channel group virtual framing"

# result NAME: a TAP line for the status of the command before it; what that wrote becomes its diagnostics
result()
{
    tap $? "$1"
    sed 's/^/# /' "$work/said"
}

# alone HEADER SUFFIX: writes a program that is nothing but the header
alone()
{
    printf '#include <pawl/%s.h>\n#include <pawl/%s.h>\nint alone;\n' "$1" "$1" >"$work/alone.$2"
}

# each "HEADERS" SUFFIX NAME COMPILER FLAGS…: one result for all these headers, compiled one by one
each()
{
    headers=$1 suffix=$2 name=$3 compiler=$4
    shift 4
    if ! command -v $compiler >/dev/null; then skip "$compiler: $name" "no $compiler here"; return; fi
    failed=0
    for header in $headers; do
        alone $header $suffix
        $compiler "$@" $warnings $layout -I"$root/include" -c "$work/alone.$suffix" -o "$work/alone.o" || failed=1
    done >"$work/said" 2>&1
    [ $failed -eq 0 ]
    result "$compiler: $name"
}

# keywords NAME COMPILER FLAGS…: one result for a program that uses the keywords, at several levels of optimisation
keywords()
{
    name=$1 compiler=$2
    shift 2
    if ! command -v $compiler >/dev/null; then skip "$compiler: $name" "no $compiler here"; return; fi
    failed=0
    for level in -O0 -O1 -O2 -O3; do
        $compiler "$@" $level $warnings $layout -I"$root/include" -c "$root/tests/core/symbols_user.c" -o "$work/user.o" || failed=1
    done >"$work/said" 2>&1
    [ $failed -eq 0 ]
    result "$compiler: $name"
}

# bare COMPILER: a folder with the three headers that the core may include, as this compiler has them
bare()
{
    from=$($1 -print-file-name=include)
    rm -rf "$work/bare"
    mkdir "$work/bare"
    for header in stddef.h stdint.h stdint-gcc.h stdbool.h __stddef_max_align_t.h; do
        if [ -e "$from/$header" ]; then cp "$from/$header" "$work/bare"; fi
    done
}

all=$(cd "$root/include/pawl" && ls ./*.h | sed 's|^\./||; s|\.h$||')

for compiler in gcc clang; do
    for standard in c99 c11 c17; do
        each "$all" c "each header compiles alone as $standard" $compiler -std=$standard
        each "$all" c "each header compiles alone as $standard with labels as values" $compiler -std=$standard -DPAWL_COMPUTED_GOTO=1
        keywords "the keywords compile without a warning as $standard" $compiler -std=$standard
        keywords "the keywords compile without a warning as $standard with labels as values" $compiler -std=$standard -DPAWL_COMPUTED_GOTO=1
    done
    each "$all" c "each header compiles alone with prefixed keywords" $compiler -std=c11 -DPAWL_PREFIXED_KEYWORDS=1
    each "$all" c "each header compiles alone with every other knob turned" $compiler -std=c11 -DPAWL_DEBUG_SCRUB=1 \
        -DPAWL_RAISE_LOCATION=0 -DPAWL_DESCENT=1 -DPAWL_TIME_32=1
    if command -v $compiler >/dev/null; then bare $compiler; fi
    for standard in c99 c11 c17; do
        each "$core" c "the core needs only stddef.h, stdint.h and stdbool.h as $standard" $compiler -std=$standard -ffreestanding \
            -nostdinc -isystem "$work/bare"
    done
done

# The check above finds a header that takes more.
bare cc
printf '#include <string.h>\n' >"$work/greedy.c"
! cc -ffreestanding -nostdinc -isystem "$work/bare" -c "$work/greedy.c" -o "$work/greedy.o" >"$work/said" 2>&1
result 'a header that takes more than that is found'

for compiler in g++ clang++; do
    each "$all" cpp "each header compiles alone as C++20" $compiler -std=c++20
    for engine in switch labels; do
        name="$compiler: a C++20 program runs on the $engine engine"
        if ! command -v $compiler >/dev/null; then skip "$name" "no $compiler here"; continue; fi
        flags=
        [ $engine = labels ] && flags=-DPAWL_COMPUTED_GOTO=1
        {
            $compiler -std=c++20 $warnings $flags $layout -I"$root/include" "$here/consumer.cpp" "$library" -lpthread -o "$work/consumer" &&
            "$work/consumer" >"$work/printed" && diff "$here/consumer.expected" "$work/printed"
        } >"$work/said" 2>&1
        result "$name"
    done
done

echo "1..$number"
