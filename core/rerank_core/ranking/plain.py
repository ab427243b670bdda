"""Rankings, hits and reports as plain text, for a terminal, a log and `repr`.

In ASCII but for what the texts bring: it is printed wherever the encoding is anybody's guess.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from .candidate import RAW

if TYPE_CHECKING:
    from .ranking import RankedCandidate, Ranking
    from .report import Report

#: Hits shown, columns of signals, and characters of a text in a line of its own.
MOST, SIGNALS, LINE = 10, 4, 80
#: Columns of a line where no terminal says how many, and of a text however narrow that is.
WIDTH, LEAST = 100, 24


def ranking(of: Ranking) -> str:
    """A heading, a table of the best hits, and what went wrong."""
    lines = [f"Ranking({of.query!r}: {len(of)} of {len(of.all)})", *_table(of.top)]
    if of.shadow:
        lines.append("shadow: not what was returned, but what would have been")
    if of.report.degraded:
        reasons = ", ".join(of.report.reasons)
        lines.append(f"degraded: {reasons} ({of.report.covered})")
    return "\n".join(lines)


def hits(of: Sequence[RankedCandidate]) -> str:
    """A heading and a table."""
    return "\n".join([f"{len(of)} hits", *_table(of)])


def hit(of: RankedCandidate) -> str:
    """One hit in a line: where it stands, where it stood, what it scored, how its text begins."""
    told = [f"rank={of.rank}", f"retrieved={of.retrieved}", f"score={number(of.score)}"]
    if of.estimate is not None:
        told.append(f"estimate={number(of.estimate)}")
    told += [f"{name}={number(of.components[name])}" for name in signals([of])]
    if of.dropped is not None:
        told.append(f"dropped={of.dropped!r}")
    if of.id is not None:
        told.append(f"id={of.id!r}")
    return f"RankedCandidate({', '.join(told)}, text={_cut(one_line(of.text), LINE)!r})"


def report(of: Report) -> str:
    """What is always told of a ranking, and whatever of the rest is not as it is for nothing."""
    always = ("coverage", "degraded", "seconds")
    told = []
    for field in fields(of):
        value = getattr(of, field.name)
        if field.name in always or (field.name != "stages" and value != field.default):
            shown = number(value) if isinstance(value, float) else str(value)
            if isinstance(value, tuple):
                shown = "[" + ", ".join(map(str, value)) + "]"
            told.append((field.name not in always, f"{field.name}={shown}"))
    if len(of.stages) > 1:
        told.append((True, f"stages=[{', '.join(stage.name for stage in of.stages)}]"))
    return f"Report({', '.join(text for _, text in sorted(told, key=lambda pair: pair[0]))})"


def signals(of: Sequence[RankedCandidate]) -> list[str]:
    """The signals that say more than the score does, in the order in which they appear."""
    names = {n: None for hit in of for n in hit.components if not n.endswith(RAW)}
    if len(names) > 1:
        return list(names)
    return [n for n in names if any(hit.components.get(n) != hit.score for hit in of)]


def one_line(text: str) -> str:
    """The text without line breaks, and without what would steer a terminal."""
    flat = " ".join(text[:2000].split())
    return "".join(letter if letter.isprintable() else "?" for letter in flat)


def number(value: float | None) -> str:
    """A score so that those of a column line up; "-" for a missing one."""
    if value is None:
        return "-"
    return f"{value:.3f}" if 0.001 <= abs(value) < 1000 or not value else f"{value:.3g}"


def _table(of: Sequence[RankedCandidate]) -> list[str]:
    if not of:
        return []
    names = signals(of)[:SIGNALS]
    rows = [["rank", "moved", "score", *map(one_line, names)]]
    rows += [
        [
            str(hit.rank),
            f"{hit.movement:+d}" if hit.movement else "=",
            number(hit.score),
            *(number(hit.components.get(name)) for name in names),
        ]
        for hit in of[:MOST]
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    left = max(LEAST, shutil.get_terminal_size((WIDTH, 24)).columns - sum(w + 2 for w in widths))
    texts = ["document", *(_cut(one_line(_told(hit)), left) for hit in of[:MOST])]
    lines = [
        "".join(f"{cell:>{width}}  " for cell, width in zip(row, widths, strict=True)) + text
        for row, text in zip(rows, texts, strict=True)
    ]
    return [*lines, f"... {len(of) - MOST} more"] if len(of) > MOST else lines


def _told(hit: RankedCandidate) -> str:
    named = hit.id is not None and not hit.text.startswith(f"{hit.id}:")
    return f"[{hit.id}] {hit.text}" if named else hit.text


def _cut(text: str, width: int) -> str:
    """So much of it as so many columns of a terminal hold."""
    used = 0
    for at, letter in enumerate(text):
        used += 2 if east_asian_width(letter) in "WF" else 1
        if used > width:
            return text[: max(0, at - 3)] + "..."
    return text
