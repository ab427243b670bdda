"""Addresses where nobody answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def refusing() -> Iterator[str]:
    """A URL that refuses every connection: its port is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def black_hole() -> Iterator[str]:
    """A URL where connecting never ends: the queue is full, and nobody accepts."""
    waiting: list[socket.socket] = []
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        try:
            # The kernel lets one or two in beside the stated length of the queue.
            for _ in range(4):
                caller = socket.socket()
                caller.setblocking(False)
                caller.connect_ex(full.getsockname())
                waiting.append(caller)
            yield f"http://127.0.0.1:{full.getsockname()[1]}"
        finally:
            for caller in waiting:
                caller.close()
