#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the HTTP server and client of docs/examples against other ends: raw sockets, http.client, asyncio, http.server, and curl and
wrk where they are installed. Prints TAP. EXAMPLE_WRAPPER (a command line, such as valgrind's) goes before the server and the client.

No case depends on how fast anything is: the times that are waited for are the server's own, set short where one is to pass.

Usage: test_http.py HTTP_SERVER HTTP_CLIENT [PART ...]
"""
import asyncio
import contextlib
import functools
import http.client
import http.server
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

SERVER, CLIENT, *PARTS = sys.argv[1:]
WRAPPER = shlex.split(os.environ.get("EXAMPLE_WRAPPER", ""))
PATIENCE = 60  # seconds after which something hangs
BIG = bytes(i * 7 % 251 for i in range(3_000_000))
BODY = BIG[:500_000]
HANG_ON = b"Host: a\r\n"
cases = []


class Skip(Exception):
    pass


def case(name):
    def register(function):
        cases.append((function.__name__.split("_")[0], name, function))
        return function
    return register


def normal_interrupt():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Server:
    """A server in a process of its own. On the way out it is interrupted, and must end well and have said nothing."""

    def __init__(self, *options, folder=None):
        command = [*WRAPPER, SERVER, "--port", "0", *map(str, options), *([folder] if folder else [])]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=normal_interrupt)
        line = self.process.stdout.readline().decode()
        found = re.fullmatch(r"listening on 127\.0\.0\.1 port (\d+)\n", line)
        if not found:
            self.process.kill()
            raise AssertionError(f"said {line!r}, {self.process.communicate()}")
        self.port = int(found[1])
        self.descriptors = self.count_descriptors()

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        if kind is not None:
            self.process.kill()
            print("# stderr:", self.process.communicate()[1].decode(errors="replace"))
            return
        self.check()
        self.end()

    def end(self, status=0):
        self.process.send_signal(signal.SIGINT)
        self.expect_end(status)

    def expect_end(self, status=0):
        _, complaints = self.process.communicate(timeout=PATIENCE)
        same(self.process.returncode, status, complaints.decode())
        same(own_words(complaints), b"http_server: shutting down\n")

    def count_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stranger(self):
        """A request like any other."""
        same(self.ask("/hello"), (200, b"hello\n"))

    def check(self):
        """It still serves, and what others had opened is closed."""
        self.stranger()
        end = time.monotonic() + PATIENCE
        while self.count_descriptors() != self.descriptors and time.monotonic() < end:
            time.sleep(0.02)
        same(self.count_descriptors(), self.descriptors, "descriptors")

    def connect(self, data=b"", receive_buffer=None):
        sock = socket.socket()
        sock.settimeout(PATIENCE)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect(("127.0.0.1", self.port))
        sock.sendall(data)
        return sock

    def ask(self, path, method="GET", body=None, fields={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, body, {**fields, "Connection": "close"})
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, data

    def raw(self, data, method="GET"):
        """Sends this, and reads an answer and the end of the connection: the answer."""
        with self.connect(data) as sock, sock.makefile("rb") as file:
            answer = read_answer(file, method)
            same(answer[1].get("connection"), "close")
            same(file.read(), b"", "after the answer")
            return answer


def own_words(complaints):
    """Without what valgrind says of system calls that it does not know; what it finds begins with ==."""
    return re.sub(rb"(?m)^--\d+-- .*\n", b"", complaints)


def same(is_, should, what=""):
    if is_ != should:
        raise AssertionError(f"{what} is {is_!r:.300}, should be {should!r:.300}")


def read_answer(file, method="GET"):
    """The next answer: status, fields, body. It must be well-formed."""
    line = file.readline()
    found = re.fullmatch(rb"HTTP/1\.1 (\d{3}) [ -~]+\r\n", line)
    if not found:
        raise AssertionError(f"begins with {line!r}")
    status, fields = int(found[1]), {}
    while (line := file.readline()) != b"\r\n":
        name, value = re.fullmatch(rb"([A-Za-z-]+): ([ -~]*)\r\n", line).groups()
        fields[name.decode().lower()] = value.decode()
    if status == 100:
        return status, fields, b""
    if "date" not in fields:
        raise AssertionError("no Date")
    return status, fields, read_body(file, status, fields, method)


def read_body(file, status, fields, method):
    if method == "HEAD" or status == 304:
        return b""
    if fields.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(file.readline(), 16):
            body += file.read(size)
            same(file.read(2), b"\r\n")
        same(file.readline(), b"\r\n")
        return body
    if "content-length" not in fields:
        return file.read()
    body = file.read(int(fields["content-length"]))
    same(len(body), int(fields["content-length"]), "length")
    return body


@functools.cache
def folder():
    path = Path(tempfile.mkdtemp())
    (path / "index.html").write_text("<p>index\n")
    (path / "big.bin").write_bytes(BIG)
    (path / "empty.txt").write_text("")
    (path / ".hidden").write_text("no")
    (path / "a b%.txt").write_text("blank\n")
    (path / "sub").mkdir()
    (path / "sub/index.html").write_text("sub\n")
    (path / "sub/page.js").write_text("1\n")
    (path / ".git").mkdir()
    (path / ".git/config").write_text("no")
    (path / "link").symlink_to("big.bin")
    (path / "up").symlink_to("/etc")
    os.mkfifo(path / "fifo")
    return str(path)


# ---- Requests and answers ----

@case("GET and HEAD of a page")
def basic_pages():
    with Server() as server:
        same(server.ask("/hello"), (200, b"hello\n"))
        same(server.ask("/hello?x=1"), (200, b"hello\n"))
        with server.connect(b"HEAD /hello HTTP/1.1\r\n" + HANG_ON + b"\r\n") as sock, sock.makefile("rb") as file:
            status, fields, _ = read_answer(file, "HEAD")
            same((status, fields["content-length"]), (200, "6"))
            sock.sendall(b"HEAD /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            same(read_answer(file, "HEAD")[1]["transfer-encoding"], "chunked")
            same(file.read(), b"")


@case("a body comes back, with a length and in chunks, however it was cut")
def basic_echo():
    with Server() as server:
        same(server.ask("/echo", "POST", BODY), (200, BODY))
        same(server.ask("/echo", "POST", b""), (200, b""))
        same(server.ask("/echo", "POST", (BODY[i:i + 999] for i in range(0, len(BODY), 999))), (200, BODY))
        tail = b"0\r\nTrailer: of no matter\r\nHost: b\r\n\r\n"
        head = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\n" + HANG_ON + b"\r\n"
        same(server.raw(head + b"2;name=value\r\nab\r\n00003\r\ncde\r\n" + tail)[2], b"abcde")


@case("a chunked answer arrives whole; HTTP/1.0 gets it without chunks")
def basic_count():
    with Server() as server:
        lines = b"".join(b"%d\n" % i for i in range(1, 50001))
        same(server.ask("/count?n=50000"), (200, lines))
        status, fields, body = server.raw(b"GET /count?n=50000 HTTP/1.0\r\n\r\n")
        same((status, "transfer-encoding" in fields, body), (200, False, lines))
        same(server.ask("/count?n=0"), (200, b""))


@case("keep-alive: many requests on one connection, and its end when asked for")
def basic_keep_alive():
    with Server() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.connect()
        sock = connection.sock
        for i in range(100):
            connection.request(*(("GET", "/hello") if i % 3 else ("POST", "/echo", b"x" * i)))
            same(connection.getresponse().read(), b"hello\n" if i % 3 else b"x" * i)
            same(connection.sock, sock, "socket")
        connection.close()
        with server.connect(b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") as sock, sock.makefile("rb") as file:
            same(read_answer(file)[1]["connection"], "keep-alive")
            sock.sendall(b"\r\nGET /hello HTTP/1.0\r\n\r\n")
            same((read_answer(file)[2], file.read()), (b"hello\n", b""))


@case("pipelined requests are answered in their order")
def basic_pipelining():
    with Server() as server:
        asked = b"".join(b"GET /count?n=%d HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n%03d"
                         % (i % 30, i) for i in range(300))
        with server.connect() as sock, sock.makefile("rb") as file:
            writer = threading.Thread(target=sock.sendall, args=(asked + b"GET /hello HTTP/1.0\r\n\r\n",))
            writer.start()
            for i in range(300):
                same(read_answer(file)[2], b"".join(b"%d\n" % j for j in range(1, i % 30 + 1)))
                same(read_answer(file)[2], b"%03d" % i)
            same((read_answer(file)[2], file.read()), (b"hello\n", b""))
            writer.join()


@case("Expect: 100-continue is answered before the body, and refused before it too")
def basic_expect():
    with Server() as server:
        head = b"POST %s HTTP/1.1\r\n" + HANG_ON + b"Content-Length: %d\r\nExpect: 100-Continue\r\nConnection: close\r\n\r\n"
        with server.connect(head % (b"/echo", 4)) as sock, sock.makefile("rb") as file:
            same(read_answer(file)[0], 100)
            sock.sendall(b"body")
            same((read_answer(file)[2], file.read()), (b"body", b""))
        same(server.raw(head % (b"/hello", 4))[0], 405)
        same(server.raw(head % (b"/echo", 1 << 30))[0], 413)
        same(server.raw((head % (b"/echo", 4)).replace(b"100-Continue", b"miracles"))[0], 417)


@case("what is wrong with a request is told by its status, and ends the connection")
def basic_errors():
    request = b"GET /hello HTTP/1.1\r\nHost: a\r\n"
    post = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
    wrong = [
        (b"GET /hello HTTP/1.1\r\n\r\n", 400), (request + b"Host: b\r\n\r\n", 400), (b"GET hello HTTP/1.1\r\n\r\n", 400),
        (request + b"a b: c\r\n\r\n", 400), (request + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (post + b"Content-Length: -1\r\n\r\n", 400), (post + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
        (post + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (post + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400), (post + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        (post + b"Transfer-Encoding: identity\r\n\r\n", 501), (post + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 501), (b"get /hello HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505), (b"GET /hello HTTP/7.7\r\nHost: a\r\n\r\n", 505), (b"GET /hello\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505), (b"GET /%s HTTP/1.1\r\n" % (b"x" * 3000), 414),
        (request + b"X: %s\r\n\r\n" % (b"y" * 9000), 431), (request + b"X: y\r\n" * 2000 + b"\r\n", 431), (b"\r\n" * 5000, 431),
        (post + b"Content-Length: 1048577\r\n\r\n", 413),
        (post + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n%s\r\n" % (b"z" * 65536) * 17, 413),
        (post + b"Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n" + b"z" * 2_000_000, 413),
    ]
    with Server() as server:
        for data, status in wrong:
            same(server.raw(data)[0], status, data[:80])
        for method in "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST":
            answer = server.raw(b"%s /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % method.encode())
            same((answer[0], answer[1]["allow"]), (405, "GET, HEAD"))
        answer = server.raw(b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        same((answer[0], answer[1]["allow"]), (405, "POST"))


@case("an error of the page does not end the connection")
def basic_errors_kept():
    with Server() as server, server.connect() as sock, sock.makefile("rb") as file:
        for request, status in ((b"GET /none", 404), (b"PUT /hello", 405), (b"GET /hello", 200), (b"CONNECT a:1", 405), (b"OPTIONS *", 405),
                                (b"GET http://other/hello", 200), (b"GET http://other", 404)):
            sock.sendall(request + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nab")
            same(read_answer(file)[0], status, request)


@case("a bad option or argument is refused in words")
def basic_options():
    for program, arguments in ((SERVER, ["--port", "x"]), (SERVER, ["--port", "65536"]), (SERVER, ["a", "b"]), (SERVER, ["--bogus"]),
                               (SERVER, ["--head-time", "-1"]), (SERVER, ["--idle-time", "nan"]), (CLIENT, []), (CLIENT, ["--time", "x", "u"]),
                               (CLIENT, ["--method", "A B", "http://127.0.0.1/"])):
        done = subprocess.run([*WRAPPER, program, *arguments], capture_output=True, timeout=PATIENCE)
        same((done.returncode, done.stdout, bool(done.stderr)), (2, b"", True), arguments)
    with Server() as server:
        done = subprocess.run([*WRAPPER, SERVER, "--port", str(server.port)], capture_output=True, timeout=PATIENCE)
        same((done.returncode, b"Address already in use" in done.stderr), (1, True))
    done = subprocess.run([*WRAPPER, SERVER, "/nowhere/at/all"], capture_output=True, timeout=PATIENCE)
    same((done.returncode, b"No such file" in done.stderr), (1, True))


# ---- Files ----

@case("files, with their types; a directory by its index")
def files_get():
    with Server(folder=folder()) as server:
        same(server.ask("/big.bin"), (200, BIG))
        same(server.ask("/empty.txt"), (200, b""))
        same(server.ask("/a%20b%25.txt"), (200, b"blank\n"))
        for path, body, kind in (("/", b"<p>index\n", "text/html"), ("/sub/", b"sub\n", "text/html"), ("/sub/page.js?v=1", b"1\n", "text/javascript")):
            status, fields, data = server.raw(b"GET %s HTTP/1.0\r\n\r\n" % path.encode())
            same((status, data, fields["content-type"].split(";")[0]), (200, body, kind))
        answer = server.raw(b"GET /sub?x HTTP/1.0\r\n\r\n")
        same((answer[0], answer[1]["location"]), (301, "/sub/"))
        status, fields, _ = server.raw(b"HEAD /big.bin HTTP/1.0\r\n\r\n", "HEAD")
        same((status, fields["content-length"]), (200, str(len(BIG))))


@case("nothing outside of the folder is served, nor what is hidden, a link, or no file")
def files_refused():
    secrets = ["/.hidden", "/.git/config", "/%2ehidden", "/link", "/up/passwd", "/fifo", "/../etc/passwd", "/sub/../big.bin", "/%2e%2e/etc/passwd",
               "/..%2fetc%2fpasswd", "/sub%2f..%2fbig.bin", "/sub//page.js", "//etc/passwd", "/./big.bin", "/big.bin/", "/big.bin%00.txt", "/%zz",
               "/%4", "/%", "/none", "/sub/none", "/%ff%fe", "/" + "x" * 300]
    with Server(folder=folder()) as server:
        for path in secrets:
            answer = server.raw(b"GET %s HTTP/1.0\r\n\r\n" % path.encode())
            same((answer[0], answer[2]), (404, b"404 Not Found\n"), path)
    with Server() as server:
        same(server.ask("/")[0], 404)


@case("parts of a file")
def files_ranges():
    n = len(BIG)
    ranges = [("0-0", 206, BIG[:1]), ("5-9", 206, BIG[5:10]), (f"{n - 3}-", 206, BIG[-3:]), ("-4", 206, BIG[-4:]), (f"-{n * 2}", 206, BIG),
              (f"10-{n * 2}", 206, BIG[10:]), ("10-99999999999999999999999", 206, BIG[10:]), (f"{n}-", 416, None), ("-0", 416, None),
              ("9-5", 200, BIG), ("a-b", 200, BIG), ("0-1,4-5", 200, BIG), ("-", 200, BIG), ("1", 200, BIG)]
    with Server(folder=folder()) as server:
        for asked, status, data in ranges:
            answer = server.raw(b"GET /big.bin HTTP/1.0\r\nRange: bytes=%s\r\n\r\n" % asked.encode())
            same((answer[0], answer[2] if data is not None else None), (status, data), asked)
            if status == 206:
                same(re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer[1]["content-range"])[3], str(n))
        same(server.raw(b"GET /empty.txt HTTP/1.0\r\nRange: bytes=0-\r\n\r\n")[0], 416)
        same(server.raw(b"GET /big.bin HTTP/1.0\r\nRange: bytes=1-2\r\nIf-Range: x\r\n\r\n")[2], BIG)


@case("a file that has not changed is not sent again")
def files_not_modified():
    with Server(folder=folder()) as server:
        date = server.raw(b"HEAD /big.bin HTTP/1.0\r\n\r\n", "HEAD")[1]["last-modified"]
        for since, status in ((date, 304), ("Fri, 31 Dec 2100 00:00:00 GMT", 304), ("Sat, 01 Jan 2000 00:00:00 GMT", 200), ("yesterday", 200)):
            same(server.raw(b"GET /big.bin HTTP/1.0\r\nIf-Modified-Since: %s\r\n\r\n" % since.encode())[0], status, since)


@case("a file that becomes shorter while it is sent ends the connection")
def files_shrink():
    path = Path(folder()) / "shrinks.bin"
    path.write_bytes(BIG * 8)
    server = Server(folder=folder())
    try:
        with server.connect(b"GET /shrinks.bin HTTP/1.0\r\n\r\n", 4096) as sock:
            got = len(sock.recv(1000))
            os.truncate(path, 1)
            while data := sock.recv(1 << 20):
                got += len(data)
            same(got < len(BIG) * 8, True, "cut off")
        server.check()
        server.process.send_signal(signal.SIGINT)
        complaints = server.process.communicate(timeout=PATIENCE)[1].decode()
        same((server.process.returncode, "Input/output error" in complaints), (0, True), complaints)
    finally:
        server.process.kill()


# ---- Other ends ----

@case("fifty connections of asyncio streams at once")
def ends_asyncio():
    async def one(port, i):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for n in range(4):
            body = b"%d.%d" % (i, n) * i
            writer.write(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            writer.write(b"GET /slow?ms=%d HTTP/1.1\r\nHost: a\r\n\r\n" % (i % 7))
            await writer.drain()
            for expected in body, b"at last\n":
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                same(head[:15], "HTTP/1.1 200 OK")
                same(await reader.readexactly(int(re.search(r"Content-Length: (\d+)", head)[1])), expected)
        writer.close()
        await writer.wait_closed()

    async def all_of_them(port):
        await asyncio.wait_for(asyncio.gather(*(one(port, i) for i in range(50))), PATIENCE)

    with Server() as server:
        asyncio.run(all_of_them(server.port))


def curl(*arguments, **options):
    if not shutil.which("curl"):
        raise Skip("no curl here")
    done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", str(PATIENCE), *arguments], capture_output=True, **options)
    same(done.returncode, 0, done.stderr.decode())
    return done.stdout


@case("curl: get, head, post, chunked upload, 100-continue, range, upgrade")
def ends_curl():
    with Server(folder=folder()) as server, tempfile.NamedTemporaryFile() as body:
        body.write(BODY)
        body.flush()
        url = f"http://127.0.0.1:{server.port}"
        same(curl(url + "/hello"), b"hello\n")
        same(curl("-I", url + "/hello").split(b"\r\n")[0], b"HTTP/1.1 200 OK")
        same(curl("--data-binary", "@" + body.name, url + "/echo"), BODY)
        same(curl("-H", "Expect: 100-continue", "--data-binary", "@" + body.name, url + "/echo"), BODY)
        same(curl("-H", "Transfer-Encoding: chunked", "--data-binary", "@" + body.name, url + "/echo"), BODY)
        same(curl("-0", "--data-binary", "@" + body.name, url + "/echo"), BODY)
        same(curl("-r", "1000-1999", url + "/big.bin"), BIG[1000:2000])
        same(curl(url + "/big.bin"), BIG)
        same(curl("-L", url + "/sub"), b"sub\n")
        same(curl("--http2", url + "/hello"), b"hello\n")
        same(curl("-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect:", "--data-binary", "@-", url + "/echo", input=BIG), b"413")


@case("curl uses one connection for ten requests, and fifty at once")
def ends_curl_many():
    with Server() as server:
        url = f"http://127.0.0.1:{server.port}/count?n=[1-10]"
        same(curl("-w", "%{num_connects} ", "-o", "/dev/null", url).split(), [b"1"] + [b"0"] * 9)
        same(curl("-Z", "--parallel-max", "50", f"http://127.0.0.1:{server.port}/hello?[1-200]"), b"hello\n" * 200)


@case("wrk has no errors")
def ends_wrk():
    if not shutil.which("wrk"):
        raise Skip("no wrk here")
    with Server(folder=folder()) as server:
        for path in "/hello", "/count?n=100", "/index.html":
            done = subprocess.run(["wrk", "-t1", "-c64", "-d1", f"http://127.0.0.1:{server.port}{path}"], capture_output=True, text=True, timeout=PATIENCE)
            # a read error at the very end is wrk's own: it stops in the middle of an answer
            found = re.search(r"Socket errors: connect (\d+), read \d+, write (\d+), timeout", done.stdout)
            same(found and (found[1], found[2]) != ("0", "0"), None if not found else False, done.stdout)
            same("Non-2xx" in done.stdout, False, done.stdout)
            same(int(re.search(r"(\d+) requests in", done.stdout)[1]) > 0, True)


# ---- The client ----

def client(*arguments, **options):
    done = subprocess.run([*WRAPPER, CLIENT, *arguments], capture_output=True, timeout=PATIENCE, **options)
    return done.returncode, done.stdout, own_words(done.stderr).decode()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302 if self.path == "/moved" else 200)
        if self.path == "/moved":
            self.send_header("Location", "/sub/")
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def python_server():
    handler = functools.partial(Quiet, directory=folder())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@case("the client and Python's http.server")
def client_python():
    with python_server() as url:
        same(client(url + "/big.bin"), (0, BIG, ""))
        same(client(url + "/empty.txt#part"), (0, b"", ""))
        same(client(url + "/none")[0], 22)
        same(client("--follow", url + "/sub"), (0, b"sub\n", ""))
        same(client("--data", "@-", url + "/x", input=BODY), (0, BODY, ""))
        same(client("--follow", "--data", "abc", url + "/moved"), (0, b"sub\n", ""))
        status, head, _ = client("--method", "HEAD", "--include", url + "/big.bin")
        same((status, b"Content-Length: 3000000\n" in head, head[-2:]), (0, True, b"\n\n"))


@case("the client and the server")
def client_server():
    with Server(folder=folder()) as server:
        url = f"http://127.0.0.1:{server.port}"
        same(client(url + "/hello"), (0, b"hello\n", ""))
        same(client("--data", "@-", url + "/echo", input=BODY), (0, BODY, ""))
        same(client("--data", "@-", "--chunked", url + "/echo", input=BODY), (0, BODY, ""))
        same(client("--data", "@-", "--chunked", url + "/echo", input=BIG)[0], 22)
        same(client(url + "/count?n=20000")[1], b"".join(b"%d\n" % i for i in range(1, 20001)))
        same(client("--time", "0.1", url + "/slow?ms=1000"), (1, b"", "http_client: 127.0.0.1: timed out\n"))


@contextlib.contextmanager
def says(answer):
    """A server that says this to whoever comes, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def run():
            with contextlib.suppress(OSError):
                while True:
                    sock, _ = listener.accept()
                    with sock:
                        data = b""
                        while b"\r\n\r\n" not in data:
                            data += sock.recv(65536)
                        for part in answer if isinstance(answer, list) else [answer]:
                            sock.sendall(part)
        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@case("the client and answers of all forms, and of none")
def client_answers():
    ok = b"HTTP/1.1 200 OK\r\n"
    chunked = ok + b"Transfer-Encoding: chunked\r\n\r\n"
    answers = [
        (ok + b"\r\nto the end", 0, b"to the end"), (b"HTTP/1.0 200\r\n\r\nold", 0, b"old"), (ok + b"Content-Length: 3\r\n\r\nabcdef", 0, b"abc"),
        (chunked + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: t\r\n\r\n", 0, b"abcde"), (b"HTTP/1.1 204 No Content\r\n\r\n", 0, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + b"Content-Length: 2\r\n\r\nhi", 0, b"hi"),
        ([bytes([c]) for c in ok + b"Content-Length: 2\r\n\r\nhi"], 0, b"hi"), (b"HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx", 22, b"x"),
        (ok + b"Content-Length: 9\r\n\r\ncut", 1, b"cut"), (chunked + b"5\r\nabc", 1, b"abc"), (chunked + b"zz\r\n", 1, b""), (b"", 1, b""),
        (b"SSH-2.0-OpenSSH\r\n", 1, b""), (b"HTTP/1.1 200", 1, b""), (ok + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 1, b""),
    ]
    for answer, status, body in answers:
        with says(answer) as url:
            done = client(url)
            same((done[0], done[1], bool(done[2])), (status, body, status == 1), answer)
    with says(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n") as url:
        same(client("--follow", url)[0], 1, "in a circle")
        same(client(url)[0], 0)
    with says(b"HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n") as url:
        same(client("--follow", url)[0], 1, "to nowhere")


@case("the client and URLs that are none")
def client_urls():
    for url in ("", "x", "ftp://a/", "http://", "http://:80/", "http://a:0/", "http://a:99999/", "http://a:8x/", "http://u@a/", "http://[::1/",
                "http://a/ b", "http://a/\r\nX: y", "http://" + "a" * 300, "http://a/" + "b" * 5000):
        done = client(url)
        same((done[0], "no URL" in done[2]), (1, True), url)


# ---- Hostile peers ----

@case("a request that comes byte by byte is served")
def hostile_bytes():
    request = b"POST /echo?x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"
    with Server() as server, server.connect() as sock, sock.makefile("rb") as file:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            sock.sendall(bytes([byte]))
        same((read_answer(file)[2], file.read()), (b"hello0123456789abcdef", b""))


@case("garbage is answered by 400, and closed")
def hostile_garbage():
    with Server() as server:
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00", b"\xff" * 100000, b"<html>", b" GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\n\n",
                     b"GET\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n", b"GET / HTTX/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\n: x\r\n\r\n", b"{}" * 1000, bytes(range(1, 256)) * 100):
            same(server.raw(data)[0] in (400, 501), True, data[:40])


@case("half a request and the end are answered by 400; nothing and the end by nothing")
def hostile_halves():
    whole = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"
    with Server() as server:
        for size in range(len(whole)):
            with server.connect(whole[:size]) as sock, sock.makefile("rb") as file:
                sock.shutdown(socket.SHUT_WR)
                if size > 0:
                    same(read_answer(file)[0], 400, whole[:size])
                same(file.read(), b"")
        with server.connect(whole) as sock, sock.makefile("rb") as file:
            sock.shutdown(socket.SHUT_WR)
            same((read_answer(file)[2], file.read()), (b"abcde", b""))


@case("slow heads and bodies get 408; who never asks is closed without a word")
def hostile_slow():
    with Server("--head-time", 0.3, "--body-time", 0.3, "--idle-time", 0.3) as server:
        for data in b"G", b"GET /hello HTTP/1.1\r\nHost: a\r\n", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab":
            same(server.raw(data)[0], 408, data)
        for data in b"", b"\r\n":
            with server.connect(data) as sock:
                same(sock.recv(1000), b"")
        with server.connect(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n") as sock, sock.makefile("rb") as file:
            same((read_answer(file)[0], file.read()), (200, b""))


@case("a head that comes in drops does not get more time with each drop")
def hostile_slowloris():
    with Server("--head-time", 0.5, "--body-time", 0.5, "--idle-time", 20, "--farewell-time", 0.5) as server:
        for drop, begin in ((b"X: y\r\n", b"GET /hello HTTP/1.1\r\nHost: a\r\n"), (b"1\r\nx\r\n", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")):
            with server.connect(begin) as sock:
                sock.settimeout(0.05)
                answer = b""
                while not answer:
                    sock.sendall(drop)
                    with contextlib.suppress(TimeoutError):
                        answer = sock.recv(65536)
                        break
                same(answer[:12], b"HTTP/1.1 408")


@case("who never reads is given up, in a file, a body and many answers")
def hostile_never_reads():
    get = b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"
    with Server("--stall-time", 0.3, "--idle-time", 0.3, "--farewell-time", 0.3, folder=folder()) as server:
        post = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + BIG[:1000000]
        for data in get % b"big.bin" * 4, get % b"count?n=1000000", get % b"hello" * 20000, post * 4:
            with server.connect(receive_buffer=4096) as sock:
                with contextlib.suppress(ConnectionError):
                    sock.sendall(data)
                server.check()


@case("a reset in the middle of anything is the peer's business")
def hostile_resets():
    with Server(folder=folder()) as server:
        for data in (b"", b"GET /hel", b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n" * 3, b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
                     b"GET /slow?ms=50 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /count?n=100000 HTTP/1.1\r\nHost: a\r\n\r\n", b"\x00"):
            for _ in range(5):
                sock = server.connect(data)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
        server.check()


@case("an answer is not lost while the client still sends")
def hostile_early_answer():
    with Server() as server:
        for _ in range(10):
            with server.connect() as sock, sock.makefile("rb") as file:
                sock.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
                sock.sendall(BIG)
                same(read_answer(file)[0], 413)


@case("two hundred connections at once")
def hostile_many():
    with Server() as server, contextlib.ExitStack() as stack:
        socks = [stack.enter_context(server.connect()) for _ in range(200)]
        for sock in socks:
            sock.sendall(b"GET /slow?ms=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        for sock in socks:
            same(read_answer(stack.enter_context(sock.makefile("rb")))[2], b"at last\n")
        stack.close()


@case("with as many connections as are allowed the next one waits")
def hostile_full():
    with Server("--connections", 2) as server, server.connect() as first, server.connect() as second:
        for sock in first, second:
            sock.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            read_answer(sock.makefile("rb"))
        with server.connect(b"GET /hello HTTP/1.0\r\n\r\n") as third, third.makefile("rb") as file:
            third.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                same(third.recv(1), None, "an answer")
            third.settimeout(PATIENCE)
            first.close()
            same(read_answer(file)[2], b"hello\n")
        second.close()


# ---- The end ----

@contextlib.contextmanager
def half_asked(server):
    """A request that is under way, for certain: its body is awaited."""
    with server.connect(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n") as sock, sock.makefile("rb") as file:
        same(read_answer(file)[0], 100)
        yield sock, file


@case("Ctrl-C lets a request end, says so to its client, and ends with 0")
def end_graceful():
    server = Server("--grace", PATIENCE * 2)
    with half_asked(server) as (sock, file), server.connect(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n") as idle, idle.makefile("rb") as idle_file:
        read_answer(idle_file)
        server.process.send_signal(signal.SIGINT)
        same(idle_file.read(), b"", "an idle connection")
        idle.close()
        sock.sendall(b"body")
        status, fields, body = read_answer(file)
        same((status, fields["connection"], body, file.read()), (200, "close", b"body", b""))
    server.expect_end()


@case("Ctrl-C cuts off what does not end in time; a second one kills")
def end_forced():
    server = Server("--grace", 0.1)
    with half_asked(server) as (sock, file):
        server.end()
        with contextlib.suppress(ConnectionError):
            same(file.read(), b"")
    server = Server("--grace", PATIENCE * 2)
    with half_asked(server):
        server.process.send_signal(signal.SIGINT)
        while server.process.stderr.readline() != b"http_server: shutting down\n":
            same(server.process.poll(), None)
        server.process.send_signal(signal.SIGINT)
        server.process.communicate(timeout=PATIENCE)
        same(server.process.returncode != 0, True)


def main():
    chosen = [each for each in cases if not PARTS or each[0] in PARTS]
    print(f"1..{len(chosen)}")
    for number, (part, name, function) in enumerate(chosen, 1):
        try:
            function()
            print(f"ok {number} - {part}: {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {part}: {name} # SKIP {why}", flush=True)
        except Exception:
            print("".join("# " + line for line in traceback.format_exc().splitlines(True)))
            print(f"not ok {number} - {part}: {name}", flush=True)
    shutil.rmtree(folder())


main()
