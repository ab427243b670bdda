"""A small HTTP/1.1 server on 127.0.0.1, in a thread with an event loop of its own.

Written over bare sockets, since its faults need them: a body that drips, a connection cut in
mid-reply, bytes that are no HTTP. A request whose client has gone is cancelled and counted.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from email.utils import formatdate
from importlib import import_module
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from loopback.faults import Fault
from loopback.messages import API, Request, Response


class Server:
    """Serves an API until it is left, with the faults it is given; the first that strikes counts.

    `url` is the address without a path. `requests` holds what has arrived, `max_in_flight` how
    many were being answered at once, `abandoned` how many the client gave up on before the end
    of the reply, `connections` how many were opened. `faults` may be replaced at any time.
    """

    def __init__(self, api: API, faults: Sequence[Fault] = ()) -> None:
        self.api = api
        self.faults = list(faults)
        self.url = ""
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loopback-server", daemon=True)
        self._open: set[_Connection] = set()
        self.clear()

    def clear(self) -> None:
        """Forget what has arrived, and count requests from 0 again."""
        self.requests: list[Request] = []
        self.in_flight = self.max_in_flight = self.abandoned = self.connections = 0

    def start(self) -> Self:
        """Listen, and have the clients imported: what that takes is no part of what is tested."""
        for package in ("tenacity", *getattr(self.api, "clients", ())):
            if find_spec(package) is not None:
                import_module(package)
        self._thread.start()
        self._ready.wait()
        return self

    def stop(self) -> None:
        """Cut every connection and wait for the thread to end."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listener = await self._loop.create_server(
            lambda: _Connection(self), "127.0.0.1", 0, backlog=1024
        )
        self.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        listener.close()
        for _ in range(3):
            await asyncio.sleep(0)  # what was accepted becomes a connection, to be dropped too
        answers = [connection.drop() for connection in list(self._open)]
        await asyncio.gather(*(answer for answer in answers if answer), return_exceptions=True)
        await asyncio.sleep(0)  # the transports close their sockets one turn later


class _Connection(asyncio.Protocol):
    """One client: reads a request, answers it, reads the next."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._received = bytearray()
        self._answer: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server._open.add(self)
        self._server.connections += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._answer is None:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._open.discard(self)
        if self._answer is not None:
            self._answer.cancel()

    def drop(self) -> asyncio.Task[None] | None:
        """Cut the connection; returns the answer in progress, which is being cancelled."""
        answer = self._answer
        if answer is not None:
            answer.cancel()
        self._transport.abort()
        return answer

    def _next(self) -> None:
        """Begin to answer the next request, if it is there completely."""
        request = self._read()
        if request is not None:
            loop = asyncio.get_running_loop()
            self._answer = loop.create_task(self._respond(request))
            self._answer.add_done_callback(self._answered)

    def _read(self) -> Request | None:
        head, end, _ = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        start = len(head) + len(end)
        length = int(headers.get("content-length", 0))
        if len(self._received) < start + length:
            return None
        body = bytes(self._received[start : start + length])
        del self._received[: start + length]
        method, path, _ = first.split(" ", 2)
        server = self._server
        request = Request(len(server.requests), method, path, headers, body, time.monotonic())
        server.requests.append(request)
        return request

    def _answered(self, answer: asyncio.Task[None]) -> None:
        self._answer = None
        if answer.cancelled():
            return
        if error := answer.exception():
            # A mistake in a test's own judge: the client sees it, and so does the test.
            text = f"{type(error).__name__}: {error}"
            self._transport.write(Response(500, text.encode()).head(len(text)) + text.encode())
        if not self._transport.is_closing() and self._received:
            self._next()

    async def _respond(self, request: Request) -> None:
        server = self._server
        server.in_flight += 1
        server.max_in_flight = max(server.max_in_flight, server.in_flight)
        try:
            fault = next((fault for fault in server.faults if fault.when(request)), _NONE)
            await self._send(await self._reply(request, fault), fault)
        except asyncio.CancelledError:
            server.abandoned += 1
            raise
        finally:
            server.in_flight -= 1

    async def _reply(self, request: Request, fault: Fault) -> Response:
        if fault.raw is not None or fault.cut == "start":
            return Response()
        if fault.redirect:
            return Response(307, b"", {"location": request.path})
        if fault.status is None:
            reply = await self._server.api.answer(request)
        else:
            message = fault.message
            if fault.echo_key:
                key = request.headers.get("authorization") or request.headers.get("api-key", "")
                message = f"{message} You sent: {key}"
            reply = self._server.api.error(fault.status, message, fault.code)
        body = fault.body(reply.body) if fault.body else reply.body
        return replace(
            reply, body=body, headers={**reply.headers, **fault.headers, **_retry_after(fault)}
        )

    async def _send(self, reply: Response, fault: Fault) -> None:
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.cut == "start":
            return await self._cut(fault)
        if fault.raw is not None:
            self._transport.write(fault.raw)
            return self._transport.close()
        body, head = reply.body, reply.head(max(0, len(reply.body) + fault.length_error))
        if fault.cut == "head":
            self._transport.write(head[: len(head) // 2])
            return await self._cut(fault)
        if fault.cut == "body":
            body = body[: len(body) // 2]
        if fault.drip:
            whole = fault.drip_from == "body"
            if whole:
                self._transport.write(head)
            for byte in body if whole else head + body:
                self._transport.write(bytes([byte]))
                await asyncio.sleep(fault.drip)
        else:
            self._transport.write(head + body)
        if fault.cut == "body":
            return await self._cut(fault)
        if fault.length_error > 0:
            self._transport.close()
        return None

    async def _cut(self, fault: Fault) -> None:
        if fault.cut_by == "silence":
            await asyncio.Event().wait()
        elif fault.cut_by == "reset":
            # What is written must have left before the reset, or the reset overtakes it.
            await asyncio.sleep(0.01)
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        else:
            self._transport.close()


_NONE = Fault("none")


def _retry_after(fault: Fault) -> dict[str, str]:
    seconds = fault.retry_after
    if seconds is None:
        return {}
    if fault.retry_after_as == "milliseconds":
        return {"retry-after-ms": f"{seconds * 1000:.0f}"}
    if fault.retry_after_as == "date":
        return {"retry-after": formatdate(time.time() + seconds, usegmt=True)}
    return {"retry-after": f"{seconds:g}"}
