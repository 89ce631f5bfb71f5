#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # conditions are given to eval, which expands them
# socat at the other end of everything: test_socat.sh PEER ECHO_SERVER. Prints TAP.
set -u
peer=$1
server=$2
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
folder=$(mktemp -d)
out=$folder/out
err=$folder/err
log=$folder/log
pids=()
trap 'kill -9 "${pids[@]}" 2>/dev/null; rm -rf "$folder"' EXIT
shows="$out $err $log"

if ! command -v socat >/dev/null 2>&1; then
    echo "1..0 # SKIP no socat here"
    exit 0
fi

says() { grep -Eq -- "$1" "$out"; }
soon() { # until the condition holds, for a minute at most
    for _ in $(seq 1200); do
        "$@" && return 0
        sleep 0.05
    done
    return 1
}

# Ours in the background: it says where it listens. A job in the background of a script ignores SIGINT, which a terminal's does not.
start() {
    : >"$out"
    # shellcheck disable=SC2086 # a command line
    env --default-signal=INT ${EXAMPLE_WRAPPER:-} "$@" >"$out" 2>"$err" &
    pid=$!
    pids+=("$pid")
    soon says '^listening on '
    where=$(sed -n 's/^listening on //p' "$out")
    port=${where##*[: ]}
}

# Ctrl-C, and its status.
stop() {
    kill -INT "$pid"
    wait "$pid"
    [ $? -eq 130 ]
}

# socat in the background: it says so too, in words of its own.
start_socat() {
    : >"$log"
    socat -d -d "$@" 2>"$log" </dev/null &
    pid=$!
    pids+=("$pid")
    soon grep -Eq 'listening on|PTY is' "$log"
    port=$(sed -nE 's/.* listening on .*[]0-9]:([0-9]+)$/\1/p' "$log")
}

stop_socat() {
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

# ours VERB…: the peer in the foreground, what it says in $out.
ours() {
    # shellcheck disable=SC2086
    timeout 100 ${EXAMPLE_WRAPPER:-} "$peer" "$@" >"$out" 2>"$err"
}

seq 200000 >"$folder/numbers" # 1.3 MB
sum=$(cksum <"$folder/numbers")
has_ipv6=no
socat -u /dev/null 'UDP6-DATAGRAM:[::1]:9,bind=[::1]' 2>/dev/null && has_ipv6=yes

# through ADDRESS: everything that socat sends there comes back.
through() { [ "$(timeout 100 socat -t 60 - "$1" <"$folder/numbers" 2>"$log" | cksum)" = "$sum" ]; }

# ---- socat connects: our servers ----

start "$server" 127.0.0.1 0
ok "TCP: the echo server gives socat back all that it sends, and ends when it does" through "TCP4:127.0.0.1:$port"
ok "TCP: a half-closed connection is still answered" eval \
    '[ "$(printf "half\n" | timeout 60 socat -t 50 - TCP4:127.0.0.1:$port)" = half ]'
ok "TCP: two at a time" eval 'through TCP4:127.0.0.1:$port & first=$!; through TCP4:127.0.0.1:$port && wait $first'
ok "and it still ends with 130" stop

if [ $has_ipv6 = yes ]; then
    start "$server" ::1 0
    ok "TCP6: the echo server over IPv6" through "TCP6:[::1]:$port"
    ok "TCP6: ends with 130" stop
else
    skip "TCP6: the echo server over IPv6" "no ::1 here"
    skip "TCP6: ends with 130" "no ::1 here"
fi

start "$peer" -l unix:"$folder/socket" echo
ok "UNIX-CONNECT: a stream server on a path" through "UNIX-CONNECT:$folder/socket"
ok "UNIX-CONNECT: again" through "UNIX-CONNECT:$folder/socket"
ok "UNIX-CONNECT: ends with 130" stop
start "$peer" -l unix:"$folder/socket" lines
ok "UNIX-CONNECT: the path that was left is listened at again; lines come back" through "UNIX-CONNECT:$folder/socket"
ok "UNIX-CONNECT: ends with 130 once more" stop

start "$peer" -l "unix:@pawl-socat-$$" echo
ok "ABSTRACT-CONNECT: a stream server on a name" through "ABSTRACT-CONNECT:pawl-socat-$$"
ok "ABSTRACT-CONNECT: ends with 130" stop

start "$peer" -l tcp:127.0.0.1:0 count
ok "TCP: the answer comes after the end of what was sent" eval \
    '[ "$(timeout 60 socat -t 50 - TCP4:127.0.0.1:$port <"$folder/numbers")" = "$(wc -c <"$folder/numbers")" ]'
ok "TCP: ends with 130" stop

start "$peer" -1 tcp:127.0.0.1:0 send "$folder/numbers"
ok "TCP: a file arrives whole" eval '[ "$(timeout 60 socat -u TCP4:127.0.0.1:$port - | cksum)" = "$sum" ]'
ok "TCP: a server for one connection ends with it" wait "$pid"

# A reset in the middle: SO_LINGER 0 is what socat's option is called too.
start "$peer" -l tcp:127.0.0.1:0 echo
head -c 100000 "$folder/numbers" | timeout 20 socat -u - "TCP4:127.0.0.1:$port,linger=0" 2>"$log"
ok "TCP: a client that resets its connection does no harm to the next" through "TCP4:127.0.0.1:$port"
ok "TCP: and is nobody's failure" eval 'stop && [ ! -s "$err" ]'

# ---- socat listens: our clients ----

start_socat TCP4-LISTEN:0,bind=127.0.0.1,fork PIPE
ok "TCP-LISTEN: our lines come back" eval 'ours tcp:127.0.0.1:$port ask-lines 500 && says "^same$"'
ok "TCP-LISTEN: our frames come back" eval 'ours tcp:127.0.0.1:$port ask-frames 500 && says "^same$"'
ok "TCP-LISTEN: from a pipe through it into a pipe" eval \
    '[ "$(cat "$folder/numbers" | timeout 100 ${EXAMPLE_WRAPPER:-} "$peer" tcp:127.0.0.1:$port talk | cksum)" = "$sum" ]'
ok "TCP-LISTEN: a file comes back whole" eval 'ours tcp:127.0.0.1:$port send "$folder/numbers" && [ "$(cksum <"$out")" = "$sum" ]'
stop_socat

start_socat TCP4-LISTEN:0,bind=127.0.0.1,fork SYSTEM:"echo question; sleep 0.2; cat"
ok "TCP-LISTEN: who waits with a short breath loses nothing of a line" eval \
    'ours tcp:127.0.0.1:$port patient && says "^question$"'
stop_socat

start_socat -u FILE:"$folder/numbers" TCP4-LISTEN:0,bind=127.0.0.1
ok "TCP-LISTEN: a file is received whole" eval 'ours tcp:127.0.0.1:$port receive "$folder/copy" && cmp "$folder/copy" "$folder/numbers"'
stop_socat

if [ $has_ipv6 = yes ]; then
    start_socat 'TCP6-LISTEN:0,bind=[::1],fork' PIPE
    ok "TCP6-LISTEN: our frames come back" eval 'ours tcp:::1:$port ask-frames 100 && says "^same$"'
    stop_socat
else
    skip "TCP6-LISTEN: our frames come back" "no ::1 here"
fi

start_socat UNIX-LISTEN:"$folder/theirs",fork PIPE
ok "UNIX-LISTEN: our lines come back" eval 'ours unix:"$folder/theirs" ask-lines 500 && says "^same$"'
stop_socat

start_socat ABSTRACT-LISTEN:"pawl-theirs-$$",fork PIPE
ok "ABSTRACT-LISTEN: our frames come back" eval 'ours unix:@pawl-theirs-$$ ask-frames 500 && says "^same$"'
stop_socat

# ---- Datagrams ----

start "$peer" -u tcp:127.0.0.1:0
ok "UDP: what socat sends comes back" eval \
    '[ "$(printf "to whom it may concern" | timeout 60 socat -t 1 - UDP4:127.0.0.1:$port)" = "to whom it may concern" ]'
ok "UDP: and to another one" eval '[ "$(printf hello | timeout 60 socat -t 1 - UDP4:127.0.0.1:$port)" = hello ]'
ok "UDP: ends with 130" stop

start_socat UDP4-LISTEN:0,bind=127.0.0.1 PIPE
ok "UDP-LISTEN: ours come back, one by one" eval 'ours -u tcp:127.0.0.1:$port one two "three words here" && [ "$(tr "\n" . <"$out")" = "one.two.three words here." ]'
stop_socat

if [ $has_ipv6 = yes ]; then
    start "$peer" -u tcp:::1:0
    ok "UDP6: what socat sends comes back" eval '[ "$(printf six | timeout 60 socat -t 1 - "UDP6:[::1]:$port")" = six ]'
    ok "UDP6: ends with 130" stop
    start_socat 'UDP6-LISTEN:0,bind=[::1]' PIPE
    ok "UDP6-LISTEN: ours come back" eval 'ours -u tcp:::1:$port one two && [ "$(tr "\n" . <"$out")" = "one.two." ]'
    stop_socat
else
    for name in "UDP6: what socat sends comes back" "UDP6: ends with 130" "UDP6-LISTEN: ours come back"; do skip "$name" "no ::1 here"; done
fi

# ---- Terminals and pipes ----

start_socat PTY,link="$folder/terminal",raw,echo=0 PIPE
ok "PTY: lines come back over a terminal" eval 'ours file:"$folder/terminal" ask-lines 200 && says "^same$"'
stop_socat

mkfifo "$folder/fifo"
timeout 100 socat -u FILE:"$folder/numbers" PIPE:"$folder/fifo" 2>"$log" &
pids+=($!)
ok "PIPE: a file is received through a named pipe" eval \
    'ours file:"$folder/fifo" receive "$folder/copy2" && cmp "$folder/copy2" "$folder/numbers"'

start_socat TCP4-LISTEN:0,bind=127.0.0.1 EXEC:"cat"
ok "EXEC: a program behind a connection" eval 'ours tcp:127.0.0.1:$port ask-lines 200 && says "^same$"'
stop_socat

echo "1..$number"
