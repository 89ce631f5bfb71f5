#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The other end of TLS: asyncio's streams.

    peers.py serve CERTIFICATE              says its port, and answers each request with BODY
    peers.py body                           prints what it answers
    peers.py ask PORT CA [CERTIFICATE]      talks to tls_server over ten connections at once, in both versions
"""
import asyncio
import ssl
import sys

BODY = b"HTTP/1.0 200 OK\r\n\r\n" + b"".join(b"line %d\n" % i for i in range(100_000))


async def answer(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(BODY)
    await writer.drain()
    writer.close()


async def serve(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    print("listening on 127.0.0.1 port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def talk(port, context, lines):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    writer.write(b"".join(b"%d\n" % i for i in range(lines)))
    for i in range(lines):
        line = await reader.readline()
        assert line == b"%d: %d\n" % (i + 1, i), line
    writer.close()
    await writer.wait_closed()


async def ask(port, authority, certificate=None):
    for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
        context = ssl.create_default_context(cafile=authority)
        context.minimum_version = context.maximum_version = version
        if certificate:
            context.load_cert_chain(certificate)
        await asyncio.gather(*(talk(int(port), context, 1000) for _ in range(10)))


if sys.argv[1] == "body":
    sys.stdout.buffer.write(BODY)
else:
    try:
        asyncio.run({"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:]))
    except KeyboardInterrupt:
        pass
