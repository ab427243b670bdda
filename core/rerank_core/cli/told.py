"""What a command says itself is not said by the log as well."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..telemetry.log import log


@contextmanager
def told_here(*messages: str) -> Iterator[None]:
    """Meanwhile these kinds of messages are left out of the log."""

    def others(record: logging.LogRecord) -> bool:
        return record.msg not in messages

    log.addFilter(others)
    try:
        yield
    finally:
        log.removeFilter(others)
