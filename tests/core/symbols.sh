#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the pawl authors
#
# The core needs nothing of a libc but memcpy, memset and memmove, whichever compiler makes it and how ever well it
# optimises. And firmware compiles: for a Cortex-M3, as a server has it and with 32-bit times and a list of timers.
#
#   symbols.sh SOURCE_ROOT      prints TAP
root=$1
here=$root/tests/core
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Werror"
core=$(cd "$1/lib" && ls core/*.c | grep -v core/timers_; echo loop/loop.c port/virtual.c)

# result NAME: a TAP line for the status of the command before it; what that wrote becomes its diagnostics
result()
{
    tap $? "$1"
    sed 's/^/# /' "$work/said"
}

# compile CC "FLAGS" TIMERS: the core, and a program of a firmware's kind, as one object
compile()
{
    rm -f "$work"/*.o
    for source in $core core/timers_$3.c; do
        $1 -std=c11 -ffreestanding $warnings $2 -I"$root/include" -c "$root/lib/$source" -o "$work/$(basename $source .c).o" || return 1
    done
    $1 -std=c11 -ffreestanding $warnings $2 -I"$root/include" -c "$here/symbols_user.c" -o "$work/user.o" || return 1
    $1 -nostdlib -r "$work"/*.o -o "$work/all.o"
}

# strangers NM PATTERN: what the object needs beyond memcpy, memset, memmove and PATTERN; fails when there is any. (The
# linker itself makes _GLOBAL_OFFSET_TABLE_.)
strangers()
{
    "$1" -u "$work/all.o" | sed 's/.* //' | grep -vxE "memcpy|memset|memmove|_GLOBAL_OFFSET_TABLE_|$2" | sed 's/^/needs /' | tee "$work/strangers"
    [ ! -s "$work/strangers" ]
}

# ---- The host's compilers

# A need that is there is found.
{
    echo 'int puts(const char *); int f(void); int f(void) { return puts(""); }' >"$work/needy.c" &&
    cc -ffreestanding -c "$work/needy.c" -o "$work/all.o" && ! strangers nm memcpy
} >"$work/said" 2>&1
result 'a libc function that is needed is found'

for cc in gcc clang; do
    for level in -O0 -O1 -O2 -O3 -Os; do
        for timers in radix list; do
            name="$cc $level with timers in a $timers needs nothing but memcpy, memset, memmove"
            if ! command -v $cc >/dev/null; then skip "$name" "no $cc here"; continue; fi
            flags=$level
            [ $timers = list ] && flags="$level -DPAWL_TIMER_LIST=1"
            { compile $cc "$flags" $timers && strangers nm memcpy; } >"$work/said" 2>&1
            result "$name"
        done
    done
done

# ---- A Cortex-M3. What a compiler's own runtime has (64-bit arithmetic) is no libc.

runtime='__aeabi_[a-z0-9]*|__clzdi2|__ctzdi2|__clzsi2|__ctzsi2'

arm()
{
    if ! command -v arm-none-eabi-gcc >/dev/null; then skip "$1" "no arm-none-eabi-gcc here"; return; fi
    {
        compile arm-none-eabi-gcc "-mcpu=cortex-m3 -mthumb -Os $2" $3 && strangers arm-none-eabi-nm "$runtime" &&
        rm "$work/all.o" "$work/user.o" && arm-none-eabi-size -t "$work"/*.o | sed "s|$work/||"
    } >"$work/said" 2>&1
    result "$1"
}

arm 'the core compiles for a Cortex-M3' '' radix
arm 'the core compiles for a Cortex-M3 with 32-bit times and a list of timers' '-DPAWL_TIME_32=1' list
arm 'the core compiles for a Cortex-M3 with labels as values' '-DPAWL_TIME_32=1 -DPAWL_COMPUTED_GOTO=1' list

echo "1..$number"
