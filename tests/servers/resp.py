# SPDX-License-Identifier: MIT
"""The protocol of Redis, seen from the client: just enough to compare what two servers say."""
import json
import socket


def request(*words):
    parts = [word if isinstance(word, bytes) else str(word).encode("latin-1") for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


class Client:
    def __init__(self, sock):
        self.sock = sock
        self.file = sock.makefile("rb")

    def send(self, data):
        self.sock.sendall(data)

    def reply(self):
        """One reply, as text in one line; "" at the end."""
        line = self.file.readline()
        if not line:
            return ""
        assert line.endswith(b"\r\n"), line
        kind, rest = line[:1], line[1:-2]
        if kind in b"+-:":
            return line[:-2].decode("latin-1")
        size = int(rest)
        if size < 0:
            return "nil"
        if kind == b"$":
            data = self.file.read(size + 2)
            assert data[-2:] == b"\r\n" and len(data) == size + 2, data
            return json.dumps(data[:-2].decode("latin-1"))
        assert kind == b"*", line
        return "[" + ", ".join(self.reply() for _ in range(size)) + "]"

    def do(self, *words):
        self.send(request(*words))
        return self.reply()

    def is_closed(self):
        """Has the server nothing more to say?"""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.file.close()
        self.sock.close()


def connect(port):
    return Client(socket.create_connection(("127.0.0.1", port), timeout=60))
