#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # conditions are given to eval, which expands them
# Runs the swarm and the echo server as a user does: test_demo.sh SWARM ECHO_SERVER. Prints TAP.
set -u
swarm=$1
server=$2
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
folder=$(mktemp -d)
out=$folder/out
err=$folder/err
pid=
trap '[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; rm -rf "$folder"' EXIT
shows="$out $err"

status=0
run() {
    "$@" >"$out" 2>"$err"
    status=$?
}

# A job in the background of a script ignores SIGINT, which a terminal's does not.
start() {
    : >"$out"
    env --default-signal=INT "$@" >"$out" 2>"$err" &
    pid=$!
}

interrupt() {
    kill -INT "$pid"
    wait "$pid"
    status=$?
    pid=
}

ended_with() { [ "$status" -eq "$1" ]; }
says() { grep -Eq -- "$1" "$out"; }
complains() { grep -Eq -- "$1" "$err"; }
is_silent() { [ ! -s "$1" ]; }
soon() { # until the condition holds, for 10 s at most
    for _ in $(seq 100); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}

# ---- The swarm ----

run "$swarm" --clients 50 --seconds 1
ok "fifty clients end with status 0" ended_with 0
ok "the table counts clients and tasks" eval 'says "^clients +50$" && says "^tasks +102$"'
ok "the table tells messages per second" says '^messages per second +[1-9][0-9]*$'
ok "the table tells latencies" eval 'says "^latency p50 +[0-9.]+ +microseconds$" && says "^latency p99 +[0-9.]+ "'
ok "the table tells bytes a task" eval 'says "^bytes a client task +[1-9][0-9]+ " && says "^bytes a server task +[1-9][0-9]+ "'
ok "every socket was closed" says '^sockets closed +101$'
ok "there were no errors" says '^errors +0$'
ok "nothing is drawn where no terminal is" eval '! grep -q $'"'\\r'"' "$out" && is_silent "$err"'

run "$swarm" --seconds 0.5
ok "a thousand clients are the default and end with status 0" eval 'ended_with 0 && says "^clients +1000$" && says "^errors +0$"'

run "$swarm" --clients 3 --seconds 0.3 --size 65536
ok "messages larger than a buffer come back whole" eval 'ended_with 0 && says "^messages +[1-9][0-9]* +of 65536 " && says "^errors +0$"'
run "$swarm" --clients 1 --seconds 0.1 --size 1
ok "one client with one byte will do" eval 'ended_with 0 && says "^tasks +4$" && says "^errors +0$"'
run "$swarm" --clients 20 --seconds 0.2 --size 256
ok "messages that just fill a buffer come back" eval 'ended_with 0 && says "^errors +0$"'

run "$swarm" --help
ok "--help tells the options and ends with 0" eval 'ended_with 0 && says "--clients" && says "--seconds" && says "--size"'

for bad in '--clients 0' '--clients x' '--clients -5' '--clients 1.5' '--clients 99999999999999999999' '--clients 10k' \
    '--seconds 0' '--seconds nan' '--seconds inf' '--seconds 1s' '--size 0' '--size 65537' "--size=" '--bogus' '--clients' 'stray'; do
    # shellcheck disable=SC2086
    run "$swarm" $bad
    ok "'$bad' is refused with status 2 and words" eval 'ended_with 2 && is_silent "$out" && complains "swarm"'
done

run bash -c 'ulimit -Sn 50; ulimit -Hn 100; exec "$0" --seconds 0.3' "$swarm"
ok "a low hard limit is told, with the number of clients that fit" \
    eval 'ended_with 0 && complains "no more than 100 descriptors.*42 clients" && says "^clients +42$" && says "^errors +0$"'
run bash -c 'ulimit -Sn 50; exec "$0" --clients 100 --seconds 0.3' "$swarm"
ok "a low soft limit is lifted" eval 'ended_with 0 && is_silent "$err" && says "^clients +100$"'
run bash -c 'ulimit -Sn 12; ulimit -Hn 12; exec "$0" --seconds 0.3' "$swarm"
ok "where not one client fits it says so and ends with 1" eval 'ended_with 1 && complains "no more than 12 descriptors"'

start "$swarm" --clients 200 --seconds 60
sleep 0.5
interrupt
ok "Ctrl-C ends it with 130" ended_with 130
ok "Ctrl-C closes every socket" complains 'interrupted; sockets closed: [1-9][0-9]*, still open: 0$'
start "$swarm" --seconds 60 # … while the clients still connect
sleep 0.03
interrupt
ok "Ctrl-C at the start leaves no socket open" eval 'ended_with 130 && { is_silent "$err" || complains "still open: 0$"; }'

# ---- The echo server ----

port=
start_server() {
    start "$@"
    port=
    soon says '^listening on ' && port=$(sed -n 's/^listening on .* port //p' "$out")
}

start_server "$server" 127.0.0.1 0
ok "the echo server says where it listens" says '^listening on 127\.0\.0\.1 port [1-9][0-9]*$'

echo_over_bash() {
    local answer
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf '%s\n' "$1" >&3
    IFS= read -r -t 10 answer <&3
    exec 3>&-
    [ "$answer" = "$1" ]
}
ok "it sends back what it receives" echo_over_bash "hello, echo"
ok "and again for the next one" echo_over_bash "once more"
if command -v nc >/dev/null 2>&1; then
    flags=$(nc -h 2>&1 | grep -q -- '-N' && echo -N || echo '-q 1')
    # shellcheck disable=SC2086
    answer=$(seq 20000 | timeout 20 nc $flags 127.0.0.1 "$port" | cksum)
    ok "nc gets every byte of a long stream back" [ "$answer" = "$(seq 20000 | cksum)" ]
else
    skip "nc gets every byte of a long stream back" "no nc here"
fi

run "$server" 127.0.0.1 "$port"
ok "a port in use is told" eval 'ended_with 1 && complains "cannot listen on 127.0.0.1 port $port: Address already in use"'

exec 4<>"/dev/tcp/127.0.0.1/$port"
printf 'x' >&4
IFS= read -r -t 10 -n 1 answer <&4
interrupt
ok "Ctrl-C ends it with 130 while somebody is connected" ended_with 130
IFS= read -r -t 10 rest <&4
ok "whose connection is closed" [ "$answer$rest" = x ]
exec 4>&-

run "$server" localhost 0
ok "an address that is no number is told" eval 'ended_with 1 && complains "cannot listen on localhost"'
for bad in '127.0.0.1 x' '127.0.0.1 65536' '127.0.0.1 -1' '127.0.0.1 80 90' '--bogus'; do
    # shellcheck disable=SC2086
    run "$server" $bad
    ok "echo_server '$bad' is refused with status 2 and words" eval 'ended_with 2 && complains "usage"'
done

# With room for two connections the third waits in the queue, and is served when one has gone.
start_server bash -c 'ulimit -n 8; exec "$@"' - "$server" 127.0.0.1 0
exec 4<>"/dev/tcp/127.0.0.1/$port" 5<>"/dev/tcp/127.0.0.1/$port" 6<>"/dev/tcp/127.0.0.1/$port"
printf 'patience\n' >&6
ok "out of descriptors it says so and goes on" soon complains 'cannot accept just now.*Too many open files'
exec 4>&-
IFS= read -r -t 10 answer <&6
ok "and serves who waited when one is free" [ "$answer" = patience ]
exec 5>&- 6>&-
interrupt
ok "and still ends with 130" ended_with 130

echo "1..$number"
