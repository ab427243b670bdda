"""The site, built once for all tests of a run, and served on loopback."""

from __future__ import annotations

import fcntl
import functools
import http.server
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def build_once(folder: Path) -> Path:
    """The built site in a folder that the workers of a run share."""
    from docs_site.build import build

    with open(folder / "site.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        site = folder / "site"
        if not (site / "llms.txt").exists():
            build(site, folder / "site-sources")
    return site


class _Handler(http.server.SimpleHTTPRequestHandler):
    missing: list[str]
    told: queue.Queue[bytes]

    def do_POST(self) -> None:
        self.told.put(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(204)
        self.end_headers()

    def send_error(self, code: int, *args: Any, **options: Any) -> None:
        self.missing.append(f"{code} {self.path}")
        super().send_error(code, *args, **options)

    def log_message(self, *args: Any) -> None: ...


@contextmanager
def served(site: Path) -> Iterator[tuple[str, list[str], queue.Queue[bytes]]]:
    """Its address, what was asked for in vain, and what a page told."""
    missing: list[str] = []
    told: queue.Queue[bytes] = queue.Queue()
    handler = type("Handler", (_Handler,), {"missing": missing, "told": told})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(site))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", missing, told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
