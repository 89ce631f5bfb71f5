#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2086 # options, and EXAMPLE_WRAPPER, which is a command line
# The examples of TLS and others that speak it: OpenSSL's own client and server, and asyncio. TAP.
#
#   peers.sh TLS_CLIENT TLS_SERVER
set -u
client="${EXAMPLE_WRAPPER:-} $1"
server="${EXAMPLE_WRAPPER:-} $2"
here=$(dirname "$0")
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
folder=$(mktemp -d)
out=$folder/out err=$folder/err
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$folder"' EXIT
shows="$out $err"

if ! command -v openssl >/dev/null; then
    echo "1..0 # SKIP no openssl command here"
    exit 0
fi

# Starts a server, and waits until it says its port, at the end of a line.
port=
start() {
    "$@" >"$out" 2>"$err" &
    pid=$!
    port=
    for _ in $(seq 300); do
        port=$(sed -n -E 's/^(ACCEPT|listening on) .*[: ]([0-9]+)$/\2/p' "$out" | head -n 1)
        [ -z "$port" ] || return
        sleep 0.1
    done
    echo "# $* does not listen"
}

stop() {
    kill "$pid"
    wait "$pid" 2>/dev/null
    pid=
}

soon() { # until the condition holds, for 60 s at most
    for _ in $(seq 600); do
        "$@" && return
        sleep 0.1
    done
    return 1
}
is() { [ "$1" = "$2" ]; }
says() { grep -q -- "$1" "$2"; }

# ---- Certificates ----

# issue NAME EXTENSIONS: signed by the authority; certificate and key in NAME.pem
issue() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$folder/$1.key" -out "$folder/$1.csr" &&
        openssl x509 -req -in "$folder/$1.csr" -CA "$folder/authority.pem" -CAkey "$folder/authority.key" -CAcreateserial -days 1 \
            -extfile <(printf '%s\n' "$2") -out "$folder/$1.crt" && cat "$folder/$1.crt" "$folder/$1.key" >"$folder/$1.pem"
} >>"$folder/made" 2>&1

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=authority -days 1 -keyout "$folder/authority.key" \
    -out "$folder/authority.pem" >"$folder/made" 2>&1
issue server 'subjectAltName=DNS:localhost,IP:127.0.0.1'
issue client 'extendedKeyUsage=clientAuth'
ok "certificates are made" [ -s "$folder/client.pem" ]

# ---- OpenSSL's client ----

# A line there and back over s_client: line_over OPTION…
line_over() {
    local answer=
    coproc openssl s_client -quiet -verify_return_error -CAfile "$folder/authority.pem" -verify_hostname localhost \
        -connect "127.0.0.1:$port" "$@" 2>"$folder/s_client"
    # shellcheck disable=SC2153 # coproc sets it
    local asked=$COPROC_PID
    echo "over TLS" >&"${COPROC[1]}"
    IFS= read -r -t 60 answer <&"${COPROC[0]}"
    kill "$asked" 2>/dev/null
    wait "$asked" 2>/dev/null
    is "$answer" "1: over TLS"
}

start $server "$folder/server.pem" 0
for version in tls1_2 tls1_3; do ok "s_client -$version talks to our server" line_over -$version; done
ok "s_client -tls1_1 does not" eval '! line_over -tls1_1 -cipher DEFAULT@SECLEVEL=0'
openssl s_client -connect "127.0.0.1:$port" -sess_out "$folder/session" -tls1_2 </dev/null >"$folder/first" 2>&1
openssl s_client -connect "127.0.0.1:$port" -sess_in "$folder/session" -tls1_2 </dev/null >"$folder/again" 2>&1
ok "s_client comes back with its session" eval 'says "^New, " "$folder/first" && says "^Reused, " "$folder/again"'
exec 3<>"/dev/tcp/127.0.0.1/$port"
echo "GET / HTTP/1.0" >&3
cat <&3 >/dev/null
exec 3>&-
ok "who speaks in the clear is sent away" soon says "TLS failed: http request" "$err"
if command -v python3 >/dev/null; then
    ok "asyncio talks to our server over ten connections at once" python3 "$here/peers.py" ask "$port" "$folder/authority.pem"
else
    skip "asyncio talks to our server" "no python3 here"
fi
stop

start $server "$folder/server.pem" 0 "$folder/authority.pem"
ok "s_client shows its certificate" line_over -cert "$folder/client.pem"
ok "without one it is refused" eval '! line_over'
ok "and the server says why" soon says "certificate not trusted: peer did not return a certificate" "$err"
if command -v python3 >/dev/null; then
    ok "asyncio shows its certificate" python3 "$here/peers.py" ask "$port" "$folder/authority.pem" "$folder/client.pem"
else
    skip "asyncio shows its certificate" "no python3 here"
fi
stop

# ---- OpenSSL's server ----

status=
ask() {
    $client "$@" >"$folder/page" 2>"$folder/said"
    status=$?
    return $status
}

for version in tls1_2 tls1_3; do
    start openssl s_server -accept 127.0.0.1:0 -cert "$folder/server.pem" -www -$version
    ok "our client gets a page from s_server -$version" \
        eval 'ask localhost $port "$folder/authority.pem" && says "^HTTP/1.0 200 ok" "$folder/page"'
    ok "and by its address" ask 127.0.0.1 "$port" "$folder/authority.pem"
    ok "it does not trust whom it does not know" eval '! ask localhost $port "$folder/client.crt"'
    ok "and says so" says "certificate not trusted: unable to get local issuer certificate" "$folder/said"
    stop
done

if command -v python3 >/dev/null; then
    start python3 "$here/peers.py" serve "$folder/server.pem"
    ok "our client gets a long page from asyncio" eval 'ask localhost $port "$folder/authority.pem" && \
        python3 "$here/peers.py" body | cmp - "$folder/page"'
    stop
else
    skip "our client gets a long page from asyncio" "no python3 here"
fi

ask localhost "$port" "$folder/nowhere"
ok "a file that is not there is told" eval 'is $status 1 && says "nowhere: No such file" "$folder/said"'
ask
ok "without arguments the usage is told" eval 'is $status 2 && says "^usage: tls_client HOST" "$folder/said"'

echo "1..$number"
