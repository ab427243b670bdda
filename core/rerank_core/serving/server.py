"""Uvicorn, set up to keep to the limits and to answer what is under way before it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..errors import ConfigurationError
from ..telemetry.log import log
from .limits import Limits

#: The headers of a request, in bytes.
MAX_HEADERS = 64 * 1024


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise ConfigurationError(f"{host}:{port} cannot be listened on: {error.strerror}") from None
    listening.set_inheritable(True)
    return listening


def serve(
    app: Any,
    listening: socket.socket,
    limits: Limits,
    *,
    certificate: Path | None = None,
    private_key: Path | None = None,
    password: str | None = None,
) -> None:
    """Answer until SIGTERM or SIGINT, then what is under way, and return."""
    for_slow_ones = type("Protocol", (_Impatient,), {"patience": limits.read_timeout})
    config = uvicorn.Config(
        app,
        http=for_slow_ones,
        ws="none",
        lifespan="on",
        log_config=None,  # the command line has set up logging, for all of it alike
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.connections,
        h11_max_incomplete_event_size=MAX_HEADERS,
        timeout_keep_alive=int(max(5, limits.read_timeout)),
        timeout_graceful_shutdown=limits.grace,
        ssl_certfile=None if certificate is None else str(certificate),
        ssl_keyfile=None if private_key is None else str(private_key),
        ssl_keyfile_password=password,
    )
    try:
        config.load()
    except (OSError, ValueError) as error:  # ssl's errors are OSErrors
        raise ConfigurationError(f"the certificate or its key cannot be used: {error}") from None
    # When it has ended well uvicorn raises the signal once more, for handlers that were there
    # before it: without this one the process would end by the signal, as if it had been killed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listening])
    log.info("ended: what was under way is answered")
    sys.stderr.flush()


class _Impatient(H11Protocol):
    """Lets go of a client that sends its headers, or takes its answer, too slowly.

    Bodies are watched by `limits.body_of`. uvicorn itself has a limit for idle connections alone.
    """

    patience = 10.0
    _waiting: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:  # its headers are there
            self._wait_no_more()
        elif self._waiting is None and (before is None or before.response_complete):
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        super().resume_writing()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.patience, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
