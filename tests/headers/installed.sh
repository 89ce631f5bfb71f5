#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what was built into a folder of its own, and builds a program against that with nothing but pkg-config.
# TAP; arguments: the build folder, the compiler and its options.
set -u
build=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
count=0

tell() { # tell STATUS NAME [FILE with what to say when it failed]
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        [ -z "${3:-}" ] || sed 's/^/# /' "$3"
    fi
}

DESTDIR=$folder/root meson install -C "$build" --no-rebuild >"$folder/log" 2>&1
tell $? "it installs" "$folder/log"

pc=$(find "$folder/root" -name pawl.pc | head -n 1)
[ -n "$pc" ]
tell $? "there is a pawl.pc"
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$folder/root
libdir=$(dirname "${pc%/*}")

cat >"$folder/program.c" <<'PROGRAM'
#include <pawl/pawl.h>
struct amain { COROUTINE(int); struct pawl_sleep sleep; };
ASYNC(amain)
{
    ASYNC_BEGIN(amain);
    AWAIT(self->sleep, pawl_sleep(PAWL_MS(1)));
    ASYNC_RETURN(21);
    ASYNC_END;
}
int main(void) { return pawl_run(CORO(amain)); }
PROGRAM

for linking in "" --static; do
    # shellcheck disable=SC2046
    "$@" "$folder/program.c" -o "$folder/program" $(pkg-config --cflags pawl) ${linking:+-Wl,-Bstatic} $(pkg-config --libs pawl) \
        ${linking:+-Wl,-Bdynamic} >"$folder/log" 2>&1
    tell $? "a program builds against it${linking:+, statically}" "$folder/log"
    LD_LIBRARY_PATH=$libdir "$folder/program"
    [ $? -eq 21 ]
    tell $? "and runs"
done

library=$(find "$libdir" -name 'libpawl.so.0.*' | head -n 1)
objdump -p "$library" | grep -q 'SONAME *libpawl.so.0$'
tell $? "the library has its soname"
nm -D --defined-only "$library" | awk '$2 != "A" {print $3}' | grep -v '^pawl_' >"$folder/log"
[ ! -s "$folder/log" ]
tell $? "the library shows nothing but pawl_ names" "$folder/log"
nm -D --defined-only "$library" | grep -q ' pawl_task_cancel@@PAWL_0$'
tell $? "its names are versioned"
diff <(cd "$folder/root" && find . -name '*.h' -path '*/pawl/*' -printf '%f\n' | sort) \
     <(cd "$(dirname "$0")/../../include/pawl" && ls -- *.h | sort) >"$folder/log"
tell $? "every header is installed" "$folder/log"
echo "1..$count"
