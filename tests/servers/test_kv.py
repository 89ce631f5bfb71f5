#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The key-value server as its users see it, beside Redis where that is installed; and what hostile peers may do to it. Prints TAP.

EXAMPLE_WRAPPER (a command line, such as valgrind's) goes before the server; then the benchmark is smaller.

Usage: test_kv.py KV_SERVER
"""
import json
import os
import random
import re
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import resp
import tap
from tap import case, equal, needs, soon

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kv_script.txt")
MIB = 1 << 20


def words_of(line):
    words = shlex.split(line.removeprefix("~"))
    return [word.replace("\\n", "\n") for word in words]


def play(port):
    """Every command of the script, each reply compared; ~ is before one whose elements have no order."""
    with open(SCRIPT, encoding="ascii") as script:
        lines = script.read().splitlines()
    client = resp.connect(port)
    for command, expected in zip(lines[0::2], lines[1::2]):
        reply = client.do(*words_of(command[2:]))
        if command.startswith("> ~"):
            reply = json.dumps(sorted(json.loads(reply)))
        equal((command, reply), (command, expected))
    assert client.is_closed()
    client.close()


def lives(server):
    client = resp.connect(server.port)
    equal(client.do("PING"), "+PONG")
    client.close()


@case
def test_script(server):
    """every command replies as it should"""
    play(server.port)


@case
def test_script_redis(_server):
    """and that is what Redis replies"""
    program = needs("redis-server")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if not re.search(r"\bv=7\.0\.", version):
        raise tap.Skip(f"other words in {version.strip()}")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        redis = subprocess.Popen([program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
                                 stdout=subprocess.DEVNULL)
        try:
            soon(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
            play(port)
        finally:
            redis.terminate()
            redis.wait()


def cli(server, *arguments, stdin=""):
    done = subprocess.run([needs("redis-cli"), "-p", str(server.port), *arguments], input=stdin, capture_output=True, text=True,
                          timeout=tap.PATIENCE, check=False)
    equal((done.returncode, done.stderr), (0, ""))
    return done.stdout


@case
def test_cli(server):
    """redis-cli sets, gets, and prints lists and errors"""
    equal(cli(server, "flushall"), "OK\n")
    equal(cli(server, "set", "a", "x y"), "OK\n")
    equal(cli(server, "get", "a"), "x y\n")
    equal(cli(server, "rpush", "l", "1", "2", "3"), "3\n")
    equal(cli(server, "--no-raw", "lrange", "l", "0", "-1"), '1) "1"\n2) "2"\n3) "3"\n')
    equal(cli(server, "--no-raw", "incr", "a"), "(error) ERR value is not an integer or out of range\n")
    assert "db0:keys=2" in cli(server, "info")
    equal(cli(server, stdin="ping\nset b \"1 2\"\nget b\n"), "PONG\nOK\n1 2\n")
    equal(cli(server, "-x", "set", "big", stdin="x" * 300000), "OK\n")
    equal(cli(server, "strlen", "big"), "300000\n")
    equal(sorted(cli(server, "--scan", "--pattern", "[ab]").split()), ["a", "b"])


@case
def test_cli_pipe(server):
    """redis-cli --pipe fills it"""
    done = cli(server, "--pipe", stdin="".join(resp.request("SET", f"pipe{i}", i).decode() for i in range(5000)))
    assert "errors: 0, replies: 5000" in done, done
    client = resp.connect(server.port)
    equal(client.do("GET", "pipe4999"), '"4999"')
    client.close()


@case
def test_benchmark(server):
    """redis-benchmark runs all tests that it has, with 50 clients and pipelines of 16, to their end"""
    program = needs("redis-benchmark")
    tests = "ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,lrange_100,lrange_300,lrange_500,lrange_600,mset"
    count = "200" if server.wrapper else "2000"
    for options in (["-P", "16"], ["-P", "1"]):
        done = subprocess.run([program, "-p", str(server.port), "-q", "-n", count, "-c", "50", *options, "-t", tests],
                              capture_output=True, text=True, timeout=600, check=False)
        equal((done.returncode, done.stderr), (0, ""))
        assert not re.search(r"error|warning", done.stdout, re.IGNORECASE), done.stdout
        equal(len(re.findall(r": \d+\.\d+ requests per second", done.stdout)), 18)


@case
def test_inline(server):
    """requests of one line: words, quotes, empty lines"""
    client = resp.connect(server.port)
    client.send(b'\r\n\nPING\nset  inline "a \\x41\\n\\"b" \r\nget inline\r\nset inline \'it\\\'s "\'\nget inline\nset inline ""\nget inline\n')
    equal([client.reply() for _ in range(7)], ["+PONG", "+OK", json.dumps('a A\n"b'), "+OK", json.dumps("it's \""), "+OK", '""'])
    client.close()


PROTOCOL_ERRORS = {
    b"*x\r\n": "invalid multibulk length",
    b"*1\n$4\r\nPING\r\n": "invalid multibulk length",
    b"*\r\n": "invalid multibulk length",
    b"*99999999999999999999\r\n": "invalid multibulk length",
    b"*9999999999\r\n": "invalid multibulk length",
    b"*1048577\r\n": "invalid multibulk length",
    b"*+1\r\n$4\r\nPING\r\n": "invalid multibulk length",
    b"*1\r\n:4\r\n": "expected '$', got ':'",
    b"*1\r\n\x01\r\n": "expected '$', got ' '",
    b"*1\r\n*1\r\n$4\r\nPING\r\n": "expected '$', got '*'",
    b"*1\r\n$-2\r\n": "invalid bulk length",
    b"*1\r\n$-1\r\n": "invalid bulk length",
    b"*1\r\n$9999999999\r\n": "invalid bulk length",
    b"*1\r\n$67108865\r\n": "invalid bulk length",
    b"*1\r\n$4 \r\nPING\r\n": "invalid bulk length",
    b"*1\r\n$\r\n\r\n": "invalid bulk length",
    b"*1\r\n$4\r\nPINGxx": "bulk without its line end",
    b"*1\r\n$3\r\nPING\r\n": "bulk without its line end",
    b"set a \"b\r\n": "unbalanced quotes in request",
    b"set a \"b\"c\r\n": "unbalanced quotes in request",
    b"set a 'b\r\n": "unbalanced quotes in request",
}


@case
def test_protocol_errors(server):
    """what is no request is told, and ends that connection only"""
    other = resp.connect(server.port)
    for data, expected in PROTOCOL_ERRORS.items():
        client = resp.connect(server.port)
        client.send(resp.request("ECHO", "before") + data)
        equal((data, client.reply(), client.reply()), (data, '"before"', f"-ERR Protocol error: {expected}"))
        assert client.is_closed(), data
        client.close()
        equal(other.do("PING"), "+PONG")
    other.close()


@case
def test_long_lines(server):
    """lines without an end are told too, and are not kept"""
    for start, expected in ((b"", "too big inline request"), (b"*", "too big mbulk count string"), (b"*1\r\n$", "too big bulk count string")):
        client = resp.connect(server.port)
        try:
            client.send(start + b"1" * (70 * 1024))
            equal(client.reply(), f"-ERR Protocol error: {expected}")
        except ConnectionError:
            pass  # the reply may be lost where more came than was read
        client.close()
    lives(server)


@case
def test_ignored(server):
    """an array of nothing is no request"""
    client = resp.connect(server.port)
    client.send(b"*0\r\n*-1\r\n*-5\r\n" + resp.request("PING"))
    equal(client.reply(), "+PONG")
    client.close()


@case
def test_byte_by_byte(server):
    """requests that come a byte at a time"""
    client = resp.connect(server.port)
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in resp.request("SET", "slow", "a\r\nb") + resp.request("GET", "slow") + b"ping\r\n":
        client.send(bytes([byte]))
    equal([client.reply() for _ in range(3)], ["+OK", json.dumps("a\r\nb"), "+PONG"])
    client.close()


@case
def test_truncated(server):
    """requests that break off anywhere, by an end and by a reset"""
    whole = resp.request("SET", "cut", "value") + b"PING\r\n"
    for size in range(len(whole)):
        for reset in (False, True):
            sock = server.connect()
            sock.sendall(whole[:size])
            if reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
    lives(server)


@case
def test_large(server):
    """large values, and many arguments"""
    client = resp.connect(server.port)
    value = random.Random(1).randbytes(3 * MIB)
    client.send(resp.request("SET", "large", value) + resp.request("GET", "large"))
    equal(client.reply(), "+OK")
    equal(client.file.readline(), b"$%d\r\n" % len(value))
    assert client.file.read(len(value) + 2) == value + b"\r\n"
    equal(client.do("MSET", *(str(i) for i in range(20000))), "+OK")
    equal(client.do("GET", "19998"), '"19999"')
    equal(client.do("DEL", *(str(i) for i in range(0, 20000, 2)), "large"), ":10001")
    client.close()


@case
def test_request_most(server):
    """a request that is too big as a whole is refused before it is all there"""
    sock = server.connect()
    head = b"*5\r\n" + b"$67108864\r\n" + bytes(64 * MIB) + b"\r\n" + b"$67108864\r\n"
    client = resp.Client(sock)
    client.send(head)
    equal(client.reply(), "-ERR Protocol error: too big request")
    client.close()


@case
def test_promises(server):
    """what is only promised takes no memory"""
    before = server.memory("VmSize")
    clients = [resp.connect(server.port) for _ in range(50)]
    for client in clients:
        client.send(b"*1000000\r\n$67108864\r\nx")
    lives(server)
    assert server.memory("VmSize") - before < 256 * MIB
    for client in clients:
        client.close()


@case
def test_never_reads(server):
    """one who asks and does not read is not read any more, and takes no memory"""
    client = resp.connect(server.port)
    equal(client.do("SET", "reply", "x" * 100000), "+OK")
    before = server.memory()
    sent = tap.send_until_stuck(client.sock, resp.request("GET", "reply") * 1000, 64 * MIB)
    assert sent < 64 * MIB, sent
    assert server.memory() - before < 64 * MIB, server.memory() - before
    lives(server)
    client.close()


@case
def test_pubsub(server):
    """who subscribes hears what others publish, and others only"""
    first, second, publisher = (resp.connect(server.port) for _ in range(3))
    equal(first.do("SUBSCRIBE", "news"), '["subscribe", "news", :1]')
    equal(second.do("SUBSCRIBE", "news"), '["subscribe", "news", :1]')
    second.send(resp.request("SUBSCRIBE", "sport", "art"))
    equal([second.reply(), second.reply()], ['["subscribe", "sport", :2]', '["subscribe", "art", :3]'])
    for i in range(100):
        equal(publisher.do("PUBLISH", "news", i), ":2")
    equal([first.reply() for _ in range(100)], [f'["message", "news", "{i}"]' for i in range(100)])
    equal([second.reply() for _ in range(100)], [f'["message", "news", "{i}"]' for i in range(100)])
    equal(publisher.do("PUBLISH", "sport", "x"), ":1")
    equal(second.reply(), '["message", "sport", "x"]')
    second.send(resp.request("UNSUBSCRIBE"))
    equal([second.reply() for _ in range(3)], [f'["unsubscribe", "{name}", :{left}]' for name, left in (("news", 2), ("sport", 1), ("art", 0))])
    equal(second.do("GET", "nothing"), "nil")
    first.close()
    soon(lambda: publisher.do("PUBLISH", "news", "gone") == ":0")
    for client in (second, publisher):
        client.close()


@case
def test_slow_subscriber(server):
    """a subscriber who does not read is cut off, and others are served"""
    slow, publisher, good = (resp.connect(server.port) for _ in range(3))
    slow.do("SUBSCRIBE", "flood")
    good.do("SUBSCRIBE", "flood")
    before = server.memory()
    replies = []
    while not replies or replies[-1] == ":2":
        replies.append(publisher.do("PUBLISH", "flood", "x" * 65536))
        assert len(good.reply()) > 65536
        assert len(replies) < 1000
    equal(replies[-1], ":1")
    assert server.memory() - before < 64 * MIB
    for client in (slow, publisher, good):
        client.close()


@case
def test_expiry(server):
    """keys go when their time is over, also when nobody asks for them"""
    client = resp.connect(server.port)
    client.do("FLUSHALL")
    client.do("SET", "stays", "1")
    client.do("SET", "stays too", "1", "EX", "1000")
    for i in range(1000):
        client.send(resp.request("SET", f"goes{i}", "1", "PX", "1"))
    for i in range(1000):
        client.reply()
    soon(lambda: client.do("DBSIZE") == ":2")
    client.do("SET", "asked", "1", "PX", "1")
    soon(lambda: client.do("GET", "asked") == "nil")
    equal(client.do("TTL", "asked"), ":-2")
    client.close()


@case
def test_scan(server):
    """SCAN gives each key once, whatever else is done meanwhile"""
    client = resp.connect(server.port)
    client.do("FLUSHALL")
    names = {f"name{i}" for i in range(100)}
    for name in sorted(names):
        client.do("SET", name, "x")
    seen, cursor = [], "0"
    while True:
        cursor, found = json.loads(client.do("SCAN", cursor, "COUNT", "7"))
        seen += found
        if cursor == "0":
            break
        client.do("SET", f"more{cursor}", "x")
        client.do("DEL", f"more{cursor}")
    equal(sorted(seen), sorted(names | {name for name in seen if name.startswith("more")}))
    equal(len([name for name in seen if name.startswith("name")]), 100)
    client.close()


@case
def test_increments(server):
    """twenty clients at once lose no increment"""
    def work():
        client = resp.connect(server.port)
        client.send(resp.request("INCR", "shared") * 500)
        for _ in range(500):
            client.reply()
        client.close()
    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client = resp.connect(server.port)
    equal(client.do("GET", "shared"), '"10000"')
    client.close()


@case
def test_garbage(server):
    """garbage of every kind does nothing to others"""
    noise = random.Random(7)
    other = resp.connect(server.port)
    for _ in range(60):
        sock = server.connect()
        try:
            for _ in range(3):
                sock.sendall(noise.choice([b"", b"*3\r\n$3\r\n", b"*"]) + noise.randbytes(noise.randrange(3000)))
        except ConnectionError:
            pass
        sock.close()
        equal(other.do("PING"), "+PONG")
    other.close()


@case
def test_connections(server):
    """five hundred connections, and no descriptor is left of them"""
    lives(server)
    soon(lambda: server.descriptors() <= server.quiet)
    clients = [resp.connect(server.port) for _ in range(500)]
    for client in clients:
        client.send(resp.request("PING"))
    for client in clients:
        equal(client.reply(), "+PONG")
    assert server.descriptors() >= server.quiet + 500
    for client in clients:
        client.close()
    soon(lambda: server.descriptors() <= server.quiet)


@case
def test_interrupt(server):
    """Ctrl-C closes the connections and ends it with 130; nothing was said on stderr"""
    client, subscriber = resp.connect(server.port), resp.connect(server.port)
    client.do("SET", "left", "behind", "EX", "1000")
    client.do("HSET", "hash", "left", "behind")
    client.do("RPUSH", "list", "left", "behind")
    subscriber.do("SUBSCRIBE", "never")
    equal(server.interrupt(), (130, ""))
    assert client.is_closed() and subscriber.is_closed()
    client.close()
    subscriber.close()


@case
def test_arguments(server):
    """bad arguments are told"""
    for bad in (["127.0.0.1", "x"], ["127.0.0.1", "65536"], ["127.0.0.1", "-1"], ["127.0.0.1", "1", "2"], ["--bogus"]):
        tap.refused(server.program, *bad)


def main():
    server = tap.Server(sys.argv[1])
    server.program = sys.argv[1]
    server.quiet = server.descriptors()
    try:
        return tap.run_cases(server)
    finally:
        server.kill()


if __name__ == "__main__":
    tap.end(main())
