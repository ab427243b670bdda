"""What a ranking costs, noted where it is spent.

The engine opens a `Meter` for each ranking and lets the context carry it into tasks, threads and
the caller's own loop. A scorer, also one of yours, notes what it spends with `record(...)`; outside
a ranking that does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Unpack

from .context import carrying, current
from .meter import Meter, Spent


def record(*, note: str | None = None, **spent: Unpack[Spent]) -> None:
    """Note what was spent on the ranking at hand, by the fields of `Usage`.

    That is `calls`, `rounds`, `prompt_tokens`, `completion_tokens`, `search_units`, `cost` (None:
    unknown, and so is the whole cost), `truncated`; and a `note` for the reader of the report.
    """
    if (meter := current().meter) is not None:
        meter.add(note=note, **spent)


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what is recorded in the block, and in all that is started from it."""
    meter = Meter()
    with carrying(meter=meter):
        yield meter
