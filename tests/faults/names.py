"""A host name whose resolution hangs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_HANGS = "nobody-answers.test"
_one_at_a_time = threading.Lock()


@contextmanager
def unresolvable(seconds: float = 5.0) -> Iterator[str]:
    """A URL whose host name takes so many seconds to be looked up, and is not found.

    A stand-in for the C library's resolver when its server is gone, in the one place where Python
    calls it, `socket.getaddrinfo`: it blocks its thread just so, and cannot be interrupted.
    Leaving it lets the look-ups go that still hang.
    """
    with _one_at_a_time:
        yield from _standing_in(seconds)


def _standing_in(seconds: float) -> Iterator[str]:
    real, over = socket.getaddrinfo, threading.Event()

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        if host not in (_HANGS, _HANGS.encode()):
            return real(host, *rest, **named)
        over.wait(seconds)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    socket.getaddrinfo = getaddrinfo
    try:
        yield f"http://{_HANGS}:80"
    finally:
        socket.getaddrinfo = real
        over.set()
