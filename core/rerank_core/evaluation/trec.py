"""TREC files: runs (`query Q0 document rank score name`) and qrels (`query 0 document grade`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from ..errors import InvalidInputError
from ..runtime.numbers import finite
from .run import Ranked, Run

Qrels = dict[str, dict[str, int]]


def read_run(path: Path | str, name: str | None = None) -> Run:
    """The run in a TREC file: by score as trec_eval reads it, ties in the order of their ranks.

    Raises `InvalidInputError`, naming file and line, for a line that is none of a run's.
    """
    path = Path(path)
    rows: dict[str, list[tuple[float, int, str]]] = defaultdict(list)
    for number, fields in _fields(path):
        if len(fields) < 5:
            raise InvalidInputError(
                f"{path}:{number} has {len(fields)} fields; a run's line is "
                "`query Q0 document rank score name`"
            )
        query, _, document, rank, score, *_ = fields
        try:
            rows[query].append((-_score(score), int(rank), document))
        except ValueError:
            raise InvalidInputError(
                f"{path}:{number}: rank {rank!r} and score {score!r} are not both numbers"
            ) from None
    if not rows:
        raise InvalidInputError(f"{path} holds no run: it has no lines")
    rankings = {}
    for query, found in rows.items():
        found.sort()
        ids = [document for _, _, document in found]
        if len(set(ids)) < len(ids):
            raise InvalidInputError(f"{path} ranks a document of query {query!r} twice")
        rankings[query] = Ranked(ids, [-score for score, _, _ in found])
    return Run(name or path.stem, rankings, by_score=True)


def write_run(run: Run, path: Path | str) -> None:
    """Write the run as a TREC file, its order kept.

    Scores are written where they alone give that order; else the number of documents below.
    """
    name = "-".join(run.name.split()) or "run"  # a field has no spaces
    with Path(path).open("w", encoding="utf-8", errors="backslashreplace") as file:
        for query, ranked in run.rankings.items():
            file.writelines(run_lines(query, ranked.ids, ranked.scores, name))


def run_lines(
    query: str, ids: Sequence[str], scores: Sequence[float | None], name: str
) -> Iterator[str]:
    """The lines of one ranking, best first; scores as `write_run` has them."""
    known = [score for score in scores if score is not None]
    falling = all(above > below for above, below in pairwise(known))
    by_score = falling and len(known) == len(ids)
    for position, (doc, score) in enumerate(zip(ids, scores, strict=True)):
        shown = score if by_score else float(len(ids) - position)
        yield f"{query} Q0 {doc} {position + 1} {shown!r} {name}\n"


def read_qrels(path: Path | str) -> Qrels:
    """Query id → document id → grade, from TREC qrels or BEIR's tab-separated ones.

    Raises `InvalidInputError`, naming file and line, for a line that is none of these.
    """
    path = Path(path)
    qrels: Qrels = defaultdict(dict)
    for number, fields in _fields(path):
        if number == 1 and fields[-1].lower() in ("score", "relevance", "rel"):
            continue  # BEIR's header
        if len(fields) not in (3, 4):
            raise InvalidInputError(
                f"{path}:{number} has {len(fields)} fields; a line of qrels is "
                "`query 0 document grade`, or `query document grade`"
            )
        try:
            qrels[fields[0]][fields[-2]] = int(float(fields[-1]))
        except ValueError:
            raise InvalidInputError(
                f"{path}:{number}: the grade {fields[-1]!r} is no number"
            ) from None
    if not qrels:
        raise InvalidInputError(f"{path} holds no judgements: it has no lines")
    return dict(qrels)


def _fields(path: Path) -> Iterator[tuple[int, list[str]]]:
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder: name the file in it")
    if not path.exists():
        raise InvalidInputError(f"there is no file {path}")
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if "\0" in line:
                    raise InvalidInputError(f"{path} is not text: it has a zero byte")
                if line.strip():
                    yield number, line.split()
    except UnicodeDecodeError:
        raise InvalidInputError(f"{path} is not UTF-8 text") from None


def _score(text: str) -> float:
    if (number := finite(text)) is None:
        raise ValueError(text)
    return number
