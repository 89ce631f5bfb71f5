# SPDX-License-Identifier: MIT
"""What the tests of the servers share: TAP, a server as a process, and waiting for a condition."""
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

PATIENCE = 60.0  # seconds, after which a test gives up on something that should happen at once


class Skip(Exception):
    pass


CASES = []


def case(function):
    """Marks a test. Its docstring is its name."""
    CASES.append(function)
    return function


def run_cases(*arguments):
    failed = 0
    for number, function in enumerate(CASES, 1):
        name = function.__doc__
        try:
            function(*arguments)
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception:  # a failed test is told, and the next one runs
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"#   {line}")
    print(f"1..{len(CASES)}")
    return failed


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"found {found!r:.2000}, expected {expected!r:.2000}")


def needs(command):
    path = shutil.which(command)
    if path is None:
        raise Skip(f"no {command} here")
    return path


def soon(condition):
    """Waits until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.01)


class Server:
    """A server of ours, on a free port. EXAMPLE_WRAPPER goes before it."""

    def __init__(self, program):
        self.wrapper = shlex.split(os.environ.get("EXAMPLE_WRAPPER", ""))
        # what is freed is free, where memory is measured
        options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1"]))
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([*self.wrapper, program, "127.0.0.1", "0"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors, env={**os.environ, "ASAN_OPTIONS": options},
                                        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        line = self.process.stdout.readline().decode()
        found = re.fullmatch(r"listening on 127\.0\.0\.1 port (\d+)\n", line)
        if not found:
            raise AssertionError(f"the server said {line!r}")
        self.port = int(found.group(1))

    def connect(self, **options):
        sock = socket.socket()
        for name, value in options.items():
            sock.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", self.port))
        return sock

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self, kind="VmRSS"):
        """Bytes: those in use, or with VmSize all that it asked for."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"{kind}:\s+(\d+) kB", status.read()).group(1)) * 1024

    def interrupt(self):
        """Ctrl-C: its status, and what it said on stderr (with a wrapper, which may have remarks, only if it failed)."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(PATIENCE)
        self.errors.seek(0)
        errors = self.errors.read().decode(errors="replace")
        return status, "" if self.wrapper and status == 130 else errors

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def send_until_stuck(sock, data, most):
    """Sends `data` again and again until the peer takes no more: how many bytes went. At `most` it gives up."""
    sent = 0
    sock.settimeout(1.0)
    try:
        while sent < most:
            sent += sock.send(data[sent % len(data):])
    except TimeoutError:
        pass
    return sent


def refused(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    equal((done.returncode, done.stdout), (2, ""))
    assert "usage" in done.stderr, done.stderr


def end(failed):
    sys.exit(1 if failed else 0)
