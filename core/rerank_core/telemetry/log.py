"""The library's logger. It speaks through the standard logging, where its user listens.

Where nobody does, a warning goes to standard error, as Python's own last resort has it, but each
kind once: a reranker whose server is down would say the same at every call.
"""

from __future__ import annotations

import logging
import sys

#: What is logged of a ranking that is not all that it could be: its reasons, and a sentence.
DEGRADED = "reranking degraded (%s): %s"
#: What is logged of a scorer that is no reranker.
CHECKED = "self-check: %s"
#: Kinds of warnings that are told without a listener; what comes after them is not.
MOST = 20


class Unheard(logging.Handler):
    """Tells a kind of warning once, where no other handler would take it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._told: set[tuple[str, str]] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Write it to standard error, unless somebody listens or its kind was told."""
        if _is_heard(record.name, but=self):
            return
        # what the message is of, such as the reasons of a degraded ranking, makes its kind
        of = str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""
        kind = (str(record.msg), of)
        if kind in self._told or len(self._told) >= MOST:
            return
        self._told.add(kind)
        try:
            text = self.format(record)
            once = "" if "(said once)" in text else " (said once; configure logging to see all)"
            print(f"{record.name}: {text}{once}", file=sys.stderr)
        except Exception:
            self.handleError(record)


def _is_heard(name: str, *, but: logging.Handler) -> bool:
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None:
        if any(one is not but for one in logger.handlers):  # a NullHandler is a listener's wish
            return True
        logger = logger.parent if logger.propagate else None
    return False


log = logging.getLogger("rerank_core")
log.addHandler(Unheard())
