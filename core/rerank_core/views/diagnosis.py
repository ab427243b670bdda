"""A diagnosis as a page: the causes that were found, each with what to change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .page import Made, Number, rendered

if TYPE_CHECKING:
    from ..doctor import Diagnosis


def write(found: Diagnosis, path: str | os.PathLike[str], *, command: str = "") -> None:
    """Write the page to this file. `command` is what was typed; secrets in it are left out."""
    Path(path).write_text(to_html(found, Made.now(command)), encoding="utf-8", errors="replace")


def to_html(found: Diagnosis, made: Made | None = None) -> str:
    """The whole page."""
    return rendered(
        "diagnosis.html",
        title="Why does reranking not help?",
        heading="Why does reranking not help?",
        verdict=_verdict(found),
        numbers=_numbers(found),
        made=made or Made.now(),
        findings=[finding.to_dict() for finding in found],
        untold=found.untold,
    )


def _verdict(found: Diagnosis) -> str:
    if not found:
        return f"{found.verdict[0].upper()}{found.verdict[1:]}."
    first = found[0]
    rest = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{first.cause.replace('_', ' ').capitalize()}{rest}: {first.change.rstrip('.')}."


def _numbers(found: Diagnosis) -> list[Number]:
    causes = Number(str(len(found)), "causes found", "those that explain others come first")
    if found.before is None or found.after is None:
        return [causes, Number(str(found.queries), "queries", "none of them judged")]
    return [
        causes,
        Number(
            f"{found.after - found.before:+.3f}",
            "nDCG@10 by reranking",
            f"{found.before:.3f} of the retriever, {found.after:.3f} reranked",
        ),
        Number(str(found.queries), "queries", found.counted),
    ]
