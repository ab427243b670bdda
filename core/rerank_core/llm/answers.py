"""From a reply to scores: what the ways to ask share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ..errors import Reason, ScorerError
from ..protocols import Scores
from ..runtime.usage import record
from ..telemetry.log import log
from .excerpts import Excerpt


def graded(scores: Sequence[float | None], scale: tuple[int, int]) -> Scores:
    """Scores on 0..1, with the grades they stand for beside them."""
    low, high = scale
    return Scores(scores, [None if s is None else low + s * (high - low) for s in scores])


def unreadable(reply: str, model: str, *, echo: bool = False) -> ScorerError:
    """The error for a reply in which no answer is to be found; an empty one is worth a retry."""
    because = ", which is the prompt over again" if echo else ""
    return ScorerError(
        f"nothing could be read from the reply of {model}{because}: {reply!r:.120}",
        reason=Reason.UNPARSEABLE,
        retryable=not reply.strip(),
    )


def note_cuts(excerpts: Sequence[Excerpt], query_cut: bool) -> None:
    """Count the documents that were shown in part, once their answer is in, and say so."""
    if query_cut:
        record(note="the query was cut to half of group_tokens")
    if count := sum(excerpt.cut for excerpt in excerpts):
        record(truncated=count, note=_SHOWN_IN_PART)
        _warn_of_cuts()


_SHOWN_IN_PART = (
    "some documents were longer than is shown of one, and the model saw their beginning: raise "
    'max_chars, document_tokens or group_tokens, or take long_documents="best-passage"'
)


@cache
def _warn_of_cuts() -> None:
    """Once a process: it is the same in every ranking, whose report has it each time."""
    log.warning(_SHOWN_IN_PART)
