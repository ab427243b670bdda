"""The library's logger. It speaks through the standard logging, where its user listens."""

from __future__ import annotations

import logging

log = logging.getLogger("rerank_core")
log.addHandler(logging.NullHandler())
