"""Does the same question get the same answer?"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from ..combine.normalize import rank_correlation
from .evidence import Case, Evidence
from .finding import Cause, Finding, Severity
from .scores import LEAST

#: The rank correlation of a list with itself, asked again, below which chance decides too much.
STEADY = 0.75
#: Lists asked again from which on that is concluded.
ENOUGH = 3


def find(evidence: Evidence) -> Iterator[Finding]:
    """The same list, ranked otherwise the next time."""
    for name in evidence.setup.scorers:
        found = []
        for case in evidence.again:
            first = case.signal(name, combined=evidence.setup.combined)
            for repeat in case.repeats:
                second = Case(repeat).signal(name, combined=evidence.setup.combined)
                both = [(first[i], second[i]) for i in first if i in second]
                if len(both) >= LEAST and len(set(first.values())) > 1:
                    found.append(rank_correlation(both))
        if len(found) < ENOUGH or fmean(found) >= STEADY:
            continue
        yield Finding(
            Cause.UNSTABLE,
            Severity.HARMS,
            f"{name}: the same list in the same order, asked again for {len(found)} queries, comes "
            f"out otherwise: the rank correlation of the two is {fmean(found):.2f}",
            "much of the order is chance, and changes from one call to the next",
            "set the temperature to 0, put a local model into evaluation mode (no dropout), or "
            "take the mean of several passes (passes=3)",
        )
