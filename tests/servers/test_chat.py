#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The chat server as its users see it, with nc, socat, and fifty clients at once, some of them slow or rude. Prints TAP.

EXAMPLE_WRAPPER (a command line, such as valgrind's) goes before the server.

Usage: test_chat.py CHAT_SERVER
"""
import asyncio
import random
import re
import socket
import struct
import subprocess
import sys

import tap
from tap import case, equal, needs, soon

CLIENTS = 50
LINES = 40  # that each of them says


class Guest:
    """A client by hand."""

    def __init__(self, server, name=None, room=None):
        self.sock = server.connect()
        self.file = self.sock.makefile("rb")
        self.welcome = self.line()
        equal(self.line(), "* you are in lobby")
        if name:
            equal(self.ask(f"/nick {name}"), f"* you are {name}")
        if room:
            equal(self.ask(f"/join {room}"), f"* you are in {room}")

    def say(self, text):
        self.sock.sendall(text.encode() + b"\n")

    def line(self):
        return self.file.readline().decode(errors="replace").removesuffix("\n")

    def ask(self, text):
        self.say(text)
        return self.line()

    def wait_for(self, text):
        """Reads until that line comes: those before it."""
        before = []
        while (line := self.line()) != text:
            assert line, f"no {text!r} after {before!r}"
            before.append(line)
        return before

    def rest(self):
        try:
            return self.file.read().decode(errors="replace").splitlines()
        except ConnectionResetError:
            return []

    def close(self):
        self.file.close()
        self.sock.close()


@case
def test_two(server):
    """what one says the other hears, with its name; and who comes, leaves, and is called otherwise"""
    one = Guest(server, "one", "two")
    assert re.fullmatch(r"\* welcome, guest\d+: /nick NAME, /join ROOM, /who, /quit; anything else is said to all", one.welcome)
    other = Guest(server, "other", "two")
    equal(one.line(), "* other has come")
    one.say("hello  there")
    equal(other.line(), "<one> hello  there")
    other.say("hi")
    equal(one.line(), "<other> hi")
    equal(one.ask("/nick uno"), "* you are uno")
    equal(other.line(), "* one is uno now")
    equal(sorted(one.ask("/who").split()), sorted("* in two: uno other".split()))
    other.say("/quit")
    equal(other.rest(), [])
    equal(one.line(), "* other has left")
    one.close()
    other.close()


@case
def test_rooms(server):
    """nothing is heard in another room"""
    here, there, wanderer = Guest(server, "here", "hall"), Guest(server, "there", "yard"), Guest(server, "wanderer", "hall")
    equal(here.line(), "* wanderer has come")
    here.say("in the hall")
    equal(wanderer.line(), "<here> in the hall")
    equal(wanderer.ask("/join yard"), "* you are in yard")
    equal((here.line(), there.line()), ("* wanderer has left", "* wanderer has come"))
    here.say("nobody hears this")
    there.say("in the yard")
    equal(wanderer.line(), "<there> in the yard")
    equal(wanderer.ask("/who").split(":")[0], "* in yard")
    equal(wanderer.ask("/join yard"), "* you are in yard")
    for guest in (here, there, wanderer):
        guest.close()


@case
def test_refusals(server):
    """bad names, taken names, unknown commands and lines that are too long are told"""
    one, other = Guest(server, "taken", "words"), Guest(server, "asks", "words")
    equal(one.line(), "* asks has come")
    equal(other.ask("/nick taken"), "* taken is taken")
    for bad in ("/nick", "/nick two words", "/nick " + "x" * 21, "/nick \x1b[2J"):
        equal(other.ask(bad), "* a name has 1 to 20 letters, digits, - or _")
    equal(other.ask("/join ../x"), "* a room's name has 1 to 20 letters, digits, - or _")
    equal(other.ask("/bogus"), "* /nick NAME, /join ROOM, /who, /quit")
    equal(other.ask("y" * 401), "* too long: at most 400 bytes a line")
    other.say("z" * 399)
    equal(one.line(), "<asks> " + "z" * 399)
    other.say("\x1b[2J\x07bell\x7f")
    equal(one.line(), "<asks>  [2J bell ")
    other.sock.sendall(b"\r\n\n\r\n" + "grüß\r\n".encode())
    equal(one.line(), "<asks> grüß")
    other.sock.sendall(b"w" * 5000)
    assert other.rest() in (["* that is no chat"], [])
    equal(one.line(), "* asks has left")
    one.close()
    other.close()


@case
def test_too_many_rooms(server):
    """there are at most a hundred rooms, and those that are empty go"""
    guests = []
    while True:
        guest = Guest(server)
        guests.append(guest)
        answer = guest.ask(f"/join many{len(guests)}")
        if answer == "* there are too many rooms":
            break
        assert len(guests) <= 100
    assert len(guests) >= 95
    for guest in guests[:-1]:
        guest.close()
    soon(lambda: guests[-1].ask("/join many-again") != "* there are too many rooms")
    guests[-1].close()


class Meeting:
    """Goes on when all are there."""

    def __init__(self, count):
        self.missing = count
        self.complete = asyncio.Event()

    async def wait(self):
        self.missing -= 1
        if self.missing == 0:
            self.complete.set()
        await self.complete.wait()


async def chatter(port, number, ready, told):
    """Says its lines and hears those of all others: by whom and in which order."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = {}
    writer.write(f"/nick c{number}\n/join crowd\n".encode())
    while (await reader.readline()) != b"* you are in crowd\n":
        pass
    await ready.wait()
    for i in range(LINES):
        writer.write(f"line {i} of c{number}\n".encode())
        await writer.drain()
    while sum(map(len, heard.values())) < (CLIENTS - 1) * LINES:
        line = (await reader.readline()).decode()
        assert line and "missed" not in line, line
        if match := re.fullmatch(r"<c(\d+)> line (\d+) of c\1\n", line):
            heard.setdefault(int(match.group(1)), []).append(int(match.group(2)))
    equal(set(heard), set(range(CLIENTS)) - {number})
    for lines in heard.values():
        equal(lines, list(range(LINES)))
    await told.wait()
    writer.write(b"/quit\n")
    assert b"<" not in await reader.read()
    writer.close()


async def crowd(port, deaf):
    """All of them, while one does not read."""
    ready, told = Meeting(CLIENTS), Meeting(CLIENTS)
    deaf.say("/join crowd")
    await asyncio.wait_for(asyncio.gather(*(chatter(port, i, ready, told) for i in range(CLIENTS))), tap.PATIENCE * 4)


@case
def test_crowd(server):
    """fifty clients hear everything, each speaker in its order, beside one who does not read"""
    deaf = Guest(server, "deaf")
    asyncio.run(crowd(server.port, deaf))
    deaf.close()


@case
def test_slow(server):
    """a slow client stops nobody, takes no memory, and is told what it missed"""
    fast, speaker = Guest(server, "fast", "slow"), Guest(server, "speaker", "slow")
    slow_sock = server.connect(SO_RCVBUF=4096)
    slow_sock.sendall(b"/nick snail\n/join slow\n")
    fast.wait_for("* snail has come")
    before = server.memory()
    text, count = "x" * 390, 0
    limit = 1000 if server.wrapper else 20000
    for count in range(limit):
        speaker.say(f"{count} {text}")
        equal(fast.line(), f"<speaker> {count} {text}")
    assert server.memory() - before < 32 << 20
    speaker.say("the end")
    heard = []
    with slow_sock.makefile("rb") as file:
        while not heard or heard[-1] != "<speaker> the end":
            heard.append(file.readline().decode().rstrip("\n"))
            assert heard[-1]
    missed = sum(int(line.split()[3]) for line in heard if line.startswith("* you missed "))
    told = [int(line.split()[1]) for line in heard if line.startswith("<speaker> ") and line.endswith("x")]
    equal(missed + len(told), limit)
    equal(told, sorted(set(told)))
    assert missed > 0 or server.wrapper, "nothing was missed"
    for guest in (fast, speaker):
        guest.close()
    slow_sock.close()


@case
def test_asks_only(server):
    """one who asks without end and reads nothing is not read any more"""
    guest = Guest(server, "asker", "asking")
    before = server.memory()
    sent = tap.send_until_stuck(guest.sock, b"/who\n/bogus\n" * 1000, 64 << 20)
    assert sent < 64 << 20, sent
    assert server.memory() - before < 32 << 20
    other = Guest(server, "answers", "asking")
    assert "answers" in other.ask("/who")
    guest.close()
    other.close()


@case
def test_nc(server):
    """nc talks, and hears"""
    program = needs("nc")
    other = Guest(server, "hearer", "nc")
    nc = subprocess.Popen([program, "127.0.0.1", str(server.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    nc.stdin.write(b"/nick netcat\n/join nc\nhello from nc\n")
    nc.stdin.flush()
    equal(other.wait_for("<netcat> hello from nc"), ["* netcat has come"])
    other.say("hello to nc")
    while (line := nc.stdout.readline()) != b"<hearer> hello to nc\n":
        assert line
    nc.stdin.write(b"/quit\n")
    nc.stdin.flush()
    equal(other.line(), "* netcat has left")
    nc.stdin.close()
    nc.kill()
    nc.wait(tap.PATIENCE)
    nc.stdout.close()
    other.close()


@case
def test_socat(server):
    """socat says what it is given and ends"""
    program = needs("socat")
    other = Guest(server, "listener", "socat")
    done = subprocess.run([program, "-t", "30", "-", f"TCP:127.0.0.1:{server.port}"], input=b"/nick cat\r\n/join socat\r\nmew\r\n/quit\r\n",
                          capture_output=True, timeout=tap.PATIENCE, check=False)
    equal((done.returncode, done.stderr), (0, b""))
    assert b"* you are cat\n* you are in socat\n" in done.stdout, done.stdout
    equal([other.line() for _ in range(3)], ["* cat has come", "<cat> mew", "* cat has left"])
    other.close()


@case
def test_rude(server):
    """garbage, resets in the middle of a line, and five hundred who only come and go; no descriptor is left"""
    noise = random.Random(3)
    one, other = Guest(server, "calm", "quiet"), Guest(server, "still", "quiet")
    equal(one.line(), "* still has come")
    soon(lambda: server.descriptors() <= server.quiet + 2)
    for i in range(500):
        sock = server.connect()
        try:
            sock.sendall(noise.choice([b"", b"half a line", noise.randbytes(300), b"/join quie", b"/quit\n"]))
            if i % 3 == 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except ConnectionError:
            pass
        sock.close()
    one.say("still here?")
    equal(other.line(), "<calm> still here?")
    soon(lambda: server.descriptors() <= server.quiet + 2)
    crowded = [server.connect() for _ in range(500)]
    other.say("yes")
    equal(one.line(), "<still> yes")
    for sock in crowded:
        sock.close()
    soon(lambda: server.descriptors() <= server.quiet + 2)
    one.close()
    other.close()


@case
def test_farewell(server):
    """Ctrl-C says farewell to everyone after what was said, and ends it with 130; nothing was said on stderr"""
    guests = [Guest(server, f"last{i}", "end") for i in range(5)] + [Guest(server)]
    for i, guest in enumerate(guests[:5]):
        for j in range(i + 1, 5):
            equal(guest.line(), f"* last{j} has come")
    guests[0].say("good night")
    equal(guests[1].line(), "<last0> good night")
    equal(server.interrupt(), (130, ""))
    farewell = "* the server is closed; farewell"
    for i, guest in enumerate(guests):
        heard = guest.rest()
        equal([line for line in heard if "has left" not in line], ["<last0> good night", farewell] if i in (2, 3, 4) else [farewell])
        guest.close()


@case
def test_farewell_deaf(server):
    """and waits for those who do not read a little only"""
    again = tap.Server(server.program)
    deaf, fast, speaker = again.connect(SO_RCVBUF=4096), Guest(again), Guest(again)
    for _ in range(600 if again.wrapper else 8000):
        speaker.say("x" * 390)
        fast.wait_for(f"<{speaker.welcome.split()[2].rstrip(':,')}> " + "x" * 390)
    equal(again.interrupt(), (130, ""))
    equal(fast.rest(), ["* the server is closed; farewell"])
    deaf.close()
    fast.close()
    speaker.close()


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
