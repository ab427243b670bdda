"""What a log of rankings answered, as a run (see `rerank_core.RankingLog`)."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import InvalidInputError
from ..ranking.log import SERVED
from .run import Ranked, Run


def served_run(path: Path, name: str = "served") -> Run | None:
    """The orders that were answered, the latest of a query; None where the file has none.

    Raises `InvalidInputError`, naming file and line, for a ranking that does not fit its documents.
    """
    if not path.is_file():
        return None
    rankings: dict[str, Ranked] = {}
    with path.open(encoding="utf-8-sig", errors="backslashreplace") as lines:
        for number, line in enumerate(lines, 1):
            if f'"{SERVED}"' not in line:
                continue
            try:
                row = json.loads(line)
                served, documents = row[SERVED], row["documents"]
                ids = [str(documents[at]["id"]) for at in served["order"]]
                ranked = Ranked(ids, served["scores"], served.get("components") or {})
                if not len(ids) == len(ranked.scores) == len(documents):
                    raise ValueError("order and scores are of different lengths")
                rankings[str(row["id"])] = ranked
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise InvalidInputError(
                    f"{path}:{number} is no line of a log of rankings: {error!r}"
                ) from None
    return Run(name, rankings) if rankings else None
