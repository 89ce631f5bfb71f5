#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""asyncio's streams at the other end: test_asyncio_peer.py PEER. Prints TAP.

Our clients talk to servers of asyncio's, and its clients to ours: lines, frames, half-closed connections, ten megabytes, and what is
cancelled on either side. The peer program is described at the head of peer.c.
"""

import asyncio
import hashlib
import os
import random
import shlex
import signal
import struct
import sys
import tempfile
import traceback

PEER = shlex.split(os.environ.get("EXAMPLE_WRAPPER", "")) + [sys.argv[1]]
PATIENCE = 100  # seconds, after which something hangs
MEGABYTES = random.Random(7).randbytes(10 << 20)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def complaints(text):
    """What was said on stderr, but for what valgrind says of system calls that it does not know."""
    return b"".join(line for line in text.splitlines(True) if not line.startswith(b"--"))


class Peer:
    """A process of ours, a server when it is told -l or -1."""

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *PEER, *self.arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        if self.arguments[0] in ("-l", "-1"):
            line = await self.process.stdout.readline()
            assert line.startswith(b"listening on "), line
            self.where = line.decode().removeprefix("listening on ").strip()
            self.port = int(self.where.rsplit(":", 1)[1]) if ":" in self.where else None
        return self

    def __init__(self, *arguments):
        self.arguments = [str(argument) for argument in arguments]

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def ends(self):
        """What it printed, when it has ended well."""
        out, err = await self.process.communicate()
        assert self.process.returncode == 0 and complaints(err) == b"", (self.process.returncode, err)
        return out

    async def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        _, err = await self.process.communicate()
        assert self.process.returncode == 130 and complaints(err) == b"", (self.process.returncode, err)


class Server:
    """A server of asyncio's; the errors of its handlers are those of the test."""

    def __init__(self, handler):
        self.handler, self.tasks, self.errors = handler, set(), []

    async def handle(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        try:
            await self.handler(reader, writer)
        except BaseException as error:
            self.errors.append(error)
            if not isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self.tasks.discard(asyncio.current_task())
            writer.close()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.handle, "127.0.0.1", 0)
        self.address = "tcp:127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind, *_):
        self.server.close()
        await self.server.wait_closed()
        if kind is None:
            assert not [error for error in self.errors if not isinstance(error, asyncio.CancelledError)], self.errors


async def end(writer):
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionError:
        pass


# ---- Our client, asyncio's server ----


async def lines_back(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()


async def frames_back(reader, writer):
    while True:
        try:
            head = await reader.readexactly(4)
        except asyncio.IncompleteReadError as error:
            assert error.partial == b""
            return
        writer.write(head + await reader.readexactly(struct.unpack(">I", head)[0]))
        await writer.drain()


async def client_lines():
    async with Server(lines_back) as server, Peer(server.address, "ask-lines", 1000) as peer:
        assert await peer.ends() == b"same\n"


async def client_frames():
    async with Server(frames_back) as server, Peer(server.address, "ask-frames", 1000) as peer:
        assert await peer.ends() == b"same\n"


async def client_frames_byte_by_byte():
    """Each byte of the answer is a segment of its own."""

    async def slowly(reader, writer):
        while head := await reader.read(4):
            head += await reader.readexactly(4 - len(head))
            answer = head + await reader.readexactly(struct.unpack(">I", head)[0])
            for byte in answer[:50]:
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
            writer.write(answer[50:])
            await writer.drain()

    async with Server(slowly) as server, Peer(server.address, "ask-frames", 20) as peer:
        assert await peer.ends() == b"same\n"


async def client_half_close():
    """It sends a file and its end; only then is it answered."""

    async def after_the_end(reader, writer):
        data = await reader.read()
        writer.write(b"%d %s\n" % (len(data), digest(data).encode()))

    with tempfile.NamedTemporaryFile() as file:
        file.write(MEGABYTES)
        file.flush()
        async with Server(after_the_end) as server, Peer(server.address, "send", file.name) as peer:
            assert await peer.ends() == b"%d %s\n" % (len(MEGABYTES), digest(MEGABYTES).encode())


async def client_receives_megabytes():
    async def give(_, writer):
        writer.write(MEGABYTES)
        await writer.drain()

    with tempfile.NamedTemporaryFile() as file:
        async with Server(give) as server, Peer(server.address, "receive", file.name) as peer:
            assert await peer.ends() == b""
        assert digest(file.read()) == digest(MEGABYTES)


async def client_megabytes_there_and_back():
    """Both directions at once, out of a pipe and into one."""

    async with Server(lines_back_raw) as server, Peer(server.address, "talk") as peer:
        out, err = await peer.process.communicate(MEGABYTES)
        assert complaints(err) == b"" and digest(out) == digest(MEGABYTES), (len(out), err)


async def lines_back_raw(reader, writer):
    while data := await reader.read(30000):
        writer.write(data)
        await writer.drain()


async def client_cancelled_in_a_line():
    """The first half of a line, our read of it is cancelled several times, the second half: the line comes whole."""
    looked_up = asyncio.Event()

    async def in_halves(reader, writer):
        writer.write(b"the first half")
        await writer.drain()
        await looked_up.wait()
        writer.write(b" and the second\n")
        assert await reader.readline() == b"the first half and the second\n"

    async with Server(in_halves) as server, Peer(server.address, "patient") as peer:
        assert await peer.process.stdout.readline() == b"not yet\n"
        looked_up.set()
        assert await peer.ends() == b"the first half and the second\n"


async def client_sees_server_cancelled():
    """asyncio cancels its handler in the middle: our client finds the end where it wanted an answer, and says so."""
    asked = asyncio.Event()

    async def never(reader, _):
        await reader.readline()
        asked.set()
        await asyncio.Event().wait()

    async with Server(never) as server, Peer(server.address, "ask-lines", 3) as peer:
        await asked.wait()
        for task in server.tasks:
            task.cancel()
        out, err = await peer.process.communicate()
        assert peer.process.returncode == 1 and b"same" not in out and complaints(err) != b"", (peer.process.returncode, out, err)


async def client_interrupted():
    """Our client is cancelled while it waits: asyncio sees the end, and nothing after it."""
    asked, came = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def wants_more(reader, _):
        await reader.readline()
        asked.set()
        came.set_result(await reader.read())

    async with Server(wants_more) as server, Peer(server.address, "ask-lines", 1) as peer:
        await asked.wait()
        peer.process.send_signal(signal.SIGINT)
        assert await came == b""
        await peer.process.wait()
        assert peer.process.returncode == 130


async def client_is_reset():
    """A peer that resets the connection is an error of our client, and not its death by a signal."""

    async def reset(reader, writer):
        await reader.readline()
        writer.transport.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER
        writer.transport.abort()

    async with Server(reset) as server, Peer(server.address, "ask-lines", 100000) as peer:
        _, err = await peer.process.communicate()
        assert peer.process.returncode == 1 and (b"reset" in err or b"pipe" in err.lower() or b"message" in err), err


# ---- asyncio's client, our server ----


async def server_lines():
    async with Peer("-l", "tcp:127.0.0.1:0", "lines") as peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
        lines = [b"line %d %s\n" % (i, b"x" * (i * 37 % 5000)) for i in range(1000)]

        async def write():
            for line in lines:
                writer.write(line)
                await writer.drain()
            writer.write_eof()

        writing = asyncio.create_task(write())
        for line in lines:
            assert await reader.readline() == line
        assert await reader.read() == b""
        await writing
        await end(writer)
        await peer.interrupt()


async def server_last_line_without_newline():
    async with Peer("-1", "tcp:127.0.0.1:0", "lines") as peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
        writer.write(b"one\ntwo")
        writer.write_eof()
        assert await reader.read() == b"one\ntwo"
        await end(writer)
        assert await peer.ends() == b""


async def server_frames():
    generator = random.Random(3)
    frames = [generator.randbytes(generator.choice((0, 1, 10, 1000, 60000))) for _ in range(300)]
    async with Peer("-1", "tcp:127.0.0.1:0", "frames") as peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)

        async def write():
            data = b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)
            while data:
                some = generator.randint(1, 50000)
                writer.write(data[:some])
                data = data[some:]
                await writer.drain()
            writer.write_eof()

        writing = asyncio.create_task(write())
        for frame in frames:
            assert await reader.readexactly(4) == struct.pack(">I", len(frame))
            assert await reader.readexactly(len(frame)) == frame
        assert await reader.read() == b""
        await writing
        await end(writer)
        assert await peer.ends() == b""


async def server_half_close():
    async with Peer("-1", "tcp:127.0.0.1:0", "count") as peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
        writer.write(MEGABYTES)
        writer.write_eof()
        assert await reader.read() == b"%d\n" % len(MEGABYTES)
        await end(writer)
        assert await peer.ends() == b""


async def server_megabytes_echoed():
    async with Peer("-1", "tcp:127.0.0.1:0", "echo") as peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
        writer.write(MEGABYTES)
        writer.write_eof()
        assert digest(await reader.read()) == digest(MEGABYTES)
        await end(writer)
        assert await peer.ends() == b""


async def server_sends_a_file():
    with tempfile.NamedTemporaryFile() as file:
        file.write(MEGABYTES)
        file.flush()
        async with Peer("-1", "tcp:127.0.0.1:0", "send", file.name) as peer:
            reader, writer = await asyncio.open_connection("127.0.0.1", peer.port, limit=1000)
            assert digest(await reader.read()) == digest(MEGABYTES)
            await end(writer)
            assert await peer.ends() == b""


async def server_over_unix():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        async with Peer("-1", "unix:" + path, "lines") as peer:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
            await end(writer)
            assert await peer.ends() == b""


async def server_sees_client_cancelled():
    """Clients are cancelled in the middle of a line, and leave; others are served all the same."""
    async with Peer("-l", "tcp:127.0.0.1:0", "lines") as peer:

        async def forever(started):
            reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
            try:
                writer.write(b"hello\nhalf a li")
                assert await reader.readline() == b"hello\n"
                started.set()
                await reader.readline()
            finally:
                writer.close()

        events = [asyncio.Event() for _ in range(20)]
        tasks = [asyncio.create_task(forever(event)) for event in events]
        for event in events:
            await event.wait()
        for task in tasks:
            task.cancel()
        assert all(isinstance(result, asyncio.CancelledError) for result in await asyncio.gather(*tasks, return_exceptions=True))
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
        writer.write(b"still there?\n")
        assert await reader.readline() == b"still there?\n"
        await end(writer)
        await peer.interrupt()


async def server_patient():
    """The other way round: our server's read is cancelled again and again while half a line is there."""
    async with Peer("-1", "tcp:127.0.0.1:0", "patient") as peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
        writer.write(b"half")
        assert await peer.process.stdout.readline() == b"not yet\n"
        writer.write(b" and half\n")
        assert await reader.readline() == b"half and half\n"
        await end(writer)
        assert await peer.ends() == b"half and half\n"


async def server_interrupted():
    """Our server is cancelled with connections at work: asyncio's clients see the end."""
    async with Peer("-l", "tcp:127.0.0.1:0", "lines") as peer:
        pairs = [await asyncio.open_connection("127.0.0.1", peer.port) for _ in range(10)]
        for reader, writer in pairs:
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
        await peer.interrupt()
        for reader, writer in pairs:
            assert await reader.read() == b""
            await end(writer)


async def server_is_reset():
    async with Peer("-l", "tcp:127.0.0.1:0", "echo") as peer:
        for _ in range(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
            writer.write(MEGABYTES[:1 << 20])
            await reader.readexactly(1)
            writer.transport.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))
            writer.transport.abort()
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        await end(writer)
        await peer.interrupt()


TESTS = {
    "our client, lines": client_lines,
    "our client, frames": client_frames,
    "our client, frames that come byte by byte": client_frames_byte_by_byte,
    "our client sends ten megabytes and its end, and is answered then": client_half_close,
    "our client receives ten megabytes": client_receives_megabytes,
    "our client, ten megabytes there and back, from pipe to pipe": client_megabytes_there_and_back,
    "our client is cancelled in the middle of a line, and loses nothing": client_cancelled_in_a_line,
    "our client sees that asyncio's handler was cancelled": client_sees_server_cancelled,
    "our client is interrupted, and asyncio sees the end": client_interrupted,
    "our client is reset": client_is_reset,
    "our server, lines": server_lines,
    "our server, a last line without its newline": server_last_line_without_newline,
    "our server, frames in whatever pieces": server_frames,
    "our server answers after the end of ten megabytes": server_half_close,
    "our server sends ten megabytes back": server_megabytes_echoed,
    "our server sends a file of ten megabytes": server_sends_a_file,
    "our server on a Unix socket": server_over_unix,
    "our server, and clients that are cancelled in the middle of a line": server_sees_client_cancelled,
    "our server is cancelled in the middle of a line, and loses nothing": server_patient,
    "our server is interrupted, and asyncio's clients see the end": server_interrupted,
    "our server is reset": server_is_reset,
}


def main():
    failed = False
    print("1..%d" % len(TESTS))
    for number, (name, test) in enumerate(TESTS.items(), 1):
        try:
            asyncio.run(asyncio.wait_for(test(), PATIENCE))
            print("ok %d - %s" % (number, name), flush=True)
        except Exception:
            failed = True
            print("not ok %d - %s" % (number, name), flush=True)
            print("".join("#   " + line for line in traceback.format_exc().splitlines(True)), flush=True)
    return failed


sys.exit(main())
