#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# calls.sh CALLS [MESSAGES]: how many system calls an echo server makes for each message, by hand and with pawl. What the same
# server does for none at all (beginning, one connection, the end) is taken off. Needs strace.
set -eu
calls=$1
messages=${2:-20000}
if ! strace -o /dev/null true 2>/dev/null; then
    echo "no strace here, or it may not trace"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# count FILE SORT MESSAGES AT_ONCE: "call number" a line. The client is a child, and is not traced.
count() {
    strace -c -U name,calls -o "$folder/raw" "$calls" "$2" "$3" "$4"
    awk '$2 ~ /^[0-9]+$/ && $1 != "total" { print $1, $2 }' "$folder/raw" >"$1"
}

printf '%-8s %8s  %s\n' server "at once" "system calls a message"
for at_once in 1 16; do
    for sort in floor socket stream; do
        count "$folder/none" $sort 0 $at_once
        count "$folder/all" $sort "$messages" $at_once
        awk -v messages="$messages" -v sort=$sort -v at_once=$at_once '
            NR == FNR { none[$1] = $2; next }
            {
                each = ($2 - none[$1]) / messages
                all += each
                if (each >= 0.0005) text = text sprintf("  %s %.3f", $1, each)
            }
            END { printf "%-8s %8d  %.3f:%s\n", sort, at_once, all, text }' "$folder/none" "$folder/all"
    done
done
