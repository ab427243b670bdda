"""Did the scorer answer at all? Replies that do not parse; time-outs, errors and fallbacks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from statistics import fmean

from ..errors import Reason
from .evidence import Case, Evidence
from .finding import Cause, Finding, Severity

#: The least share of the candidates left without a score that is worth a word.
LOST = 0.04
#: … and of the rankings that are not as asked.
OFTEN = 0.05

_UNREAD = frozenset({Reason.UNPARSEABLE, Reason.INCOMPLETE})
#: Reasons that go with others and explain none.
_BESIDE = frozenset({Reason.FALLBACK, Reason.CACHE, Reason.SIGNAL})
#: A function of the user's own that reads replies says so in its exception alone.
_READING = re.compile(
    r"JSONDecodeError|ValidationError|\bpars(e|ing)|could not convert|invalid literal",
    re.IGNORECASE,
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """Replies that do not parse, apart from answers that did not come."""
    unread = [case for case in evidence.cases if _is_unread(case)]
    lost = sum(map(_lost, unread)) / max(1, len(evidence.cases))
    if lost >= LOST:
        yield Finding(
            Cause.UNREADABLE,
            Severity.BROKEN,
            f"replies to {len(unread)} of {len(evidence.cases)} queries could not be read, or left "
            f"documents out; {lost:.0%} of all candidates have no score for this{_note(unread)}",
            "what has no score stands where the retriever and the other scores suggest, so the "
            "reranker decides little",
            "look at a raw reply: ask for JSON (a schema where the server takes one), shorten "
            "the groups, allow more output tokens, or take a model that follows the format",
        )
    failed = [case for case in evidence.cases if _is_failed(case, evidence.setup.depth)]
    least = max(OFTEN * len(evidence.cases), 2 if len(evidence.cases) >= 10 else 1)
    if len(failed) >= least:
        counts = Counter(
            str(r) for case in failed for r in case.ranking.report.reasons if r not in _UNREAD
        )
        reasons = ", ".join(f"{why} {many}×" for why, many in counts.most_common()) or "no reason"
        stood_in = any(Reason.FALLBACK in case.ranking.report.reasons for case in failed)
        yield Finding(
            Cause.UNANSWERED,
            Severity.BROKEN,
            f"{len(failed)} of {len(evidence.cases)} rankings were not made as asked ({reasons}); "
            f"in these the scorer scored {1 - fmean(map(_lost, failed)):.0%} of the candidates"
            f"{_note(failed)}",
            f"what users get then is mostly {'the fallback' if stood_in else 'the retriever'}'s "
            "order",
            _remedy(counts),
        )


def _is_unread(case: Case) -> bool:
    report = case.ranking.report
    if Reason.SCORER in report.reasons and _READING.search(report.why):
        return True
    return not _UNREAD.isdisjoint(report.reasons)


def _is_failed(case: Case, depth: int | None) -> bool:
    reasons = set(case.ranking.report.reasons)
    if _is_unread(case):
        reasons -= {Reason.SCORER}
    if not reasons - _BESIDE - _UNREAD:
        return not reasons and _lost(case, depth) > LOST
    return True


def _lost(case: Case, depth: int | None = None) -> float:
    """The share that the scorer did not score, of all that it was asked for or of the top."""
    top = [
        h for h in case.hits[: case.ranking.top_n or 10] if depth is None or h.retrieved <= depth
    ]
    told = sum(hit.scored for hit in top) / len(top) if top else 1.0
    return 1 - min(told, case.ranking.report.coverage)


def _note(cases: list[Case]) -> str:
    notes = [note for case in cases for note in case.ranking.report.notes]
    # the longest says most: others tell of loading and the like
    return f' (such as: "{max(notes, key=len)[:160]}")' if notes else ""


def _remedy(counts: Counter[str]) -> str:
    worst = counts.most_common(1)[0][0] if counts else ""
    if worst in (Reason.AUTH, Reason.MODEL, Reason.PAYMENT, Reason.REQUEST):
        return "correct the key, the model's name or the request: no retry will help"
    if worst in (Reason.RATE_LIMIT, Reason.OVERLOADED, Reason.CIRCUIT_OPEN):
        return "lower max_concurrency, set requests_per_minute, or raise the provider's limit"
    if worst == Reason.TIMEOUT:
        return (
            "raise timeout=, rerank fewer candidates, ask in larger groups or more at once, or "
            "take a faster model"
        )
    return "see ranking.report.notes for what failed; a fallback= that is good enough helps users"
