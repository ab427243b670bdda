"""Today's figures against those of an earlier `rerank eval --json`: has anything become worse?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError
from .compare import Comparison, compare
from .evaluation import Evaluation
from .significance import holm


@dataclass(frozen=True, slots=True)
class Since:
    """One system now minus then, over the queries that both have.

    `missing`: judged queries of then that are not here now, and the other way round.
    """

    system: str
    before: float
    now: float
    comparison: Comparison
    missing: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {
            "system": self.system,
            "before": self.before,
            "now": self.now,
            "queries_of_one_alone": self.missing,
            **self.comparison.to_dict(),
        }


def read_baseline(path: Path) -> Mapping[str, Any]:
    """What `rerank eval --json` wrote. Raises `InvalidInputError` for anything else."""
    if not path.is_file():
        raise InvalidInputError(f"there is no file {path}: rerank eval … --json > {path} writes it")
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        systems = {one["system"]: one["by_query"] for one in found["systems"]}
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
        raise InvalidInputError(f"{path} is nothing that rerank eval --json wrote") from None
    return systems


def since(found: Evaluation, baseline: Mapping[str, Any]) -> list[Since]:
    """Every system that was there then, in the measure that decides now.

    Raises `InvalidInputError` where there is none, or it was measured by other measures or queries.
    """
    measure = found.measures[0]
    told = []
    for result in found.results:
        if result.name not in baseline:
            continue
        before = baseline[result.name].get(measure)
        if not before:
            raise InvalidInputError(
                f"the baseline does not have {measure} of {result.name}: name one that it has "
                f"({', '.join(baseline[result.name]) or 'it was not judged'}) first in --measures"
            )
        now = result.by_query[measure]
        both = [query for query in now if query in before]
        if not both:
            raise InvalidInputError(f"the baseline has none of the judged queries of {result.name}")
        old = {query: float(before[query]) for query in both}
        new = {query: now[query] for query in both}
        (compared,) = compare(old, [new])
        missing = len(now) + len(before) - 2 * len(both)
        told.append((result.name, old, new, compared, missing))
    if not told:
        raise InvalidInputError(
            f"the baseline has none of these systems; it has {', '.join(baseline)}"
        )
    corrected = holm([compared.difference.p for _, _, _, compared, _ in told])
    return [
        Since(name, _mean(old), _mean(new), _with_p(compared, p), missing)
        for (name, old, new, compared, missing), p in zip(told, corrected, strict=True)
    ]


def worse(
    compared: Sequence[tuple[str, str, Comparison]], worse_by: float | None = None
) -> list[str]:
    """A sentence for each system (name, what it is compared with) that became worse.

    By more than chance; or, where `worse_by` is given, by more than that on average.
    """
    return [
        f"{name} is worse than {than}: {found.difference.mean:+.4f} (p = {found.p:.4f})"
        for name, than, found in compared
        if (
            found.significant and found.difference.mean < 0
            if worse_by is None
            else found.difference.mean < -worse_by
        )
    ]


def _mean(values: Mapping[str, float]) -> float:
    return sum(values.values()) / len(values)


def _with_p(compared: Comparison, p: float) -> Comparison:
    return replace(compared, p=p)
