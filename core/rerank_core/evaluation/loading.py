"""Judged queries from the user's own files: a BEIR-style folder, a run with qrels, or JSON lines.

- folder: `corpus.jsonl`, `queries.jsonl` (`_id` or `id`, `title`, `text`), and judgements in
  `qrels.txt` or `qrels/*.tsv`, as https://github.com/beir-cellar/beir lays them out; the
  candidates from a run, or BM25 over the corpus;
- TREC: a run and qrels; no texts, so that only other runs can be compared with it;
- JSON lines: `{"query": …, "documents": [{"text": …, "id": …, "score": …, "relevance": …}]}`,
  documents in the retriever's order; `relevance` left out or null means unjudged. A log that
  `rerank_core.RankingLog` wrote is one, of which the latest ranking of a query counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError
from ..ranking.candidate import Candidate, to_candidate
from ..ranking.log import SERVED
from .collection import Collection, of_candidates
from .provenance import provenance_of
from .retrieval import bm25_run
from .run import RETRIEVER, Run
from .trec import Qrels, read_qrels, read_run

#: What a row of queries has that is no field of the query.
_NO_FIELDS = frozenset(
    {"_id", "id", "query_id", "text", "query", "documents", "metadata", SERVED, "at"}
)


def load(
    data: Path | str | None = None,
    *,
    base: Path | str | None = None,
    qrels: Path | str | None = None,
    depth: int = 100,
    split: str = "test",
    unjudged: bool = False,
) -> Collection:
    """The judged queries in `data`, a folder or a JSON-lines file, or in `base` and `qrels` alone.

    `base`: a TREC run that brings the candidates, the first `depth` of which are kept. `split`:
    which of several files of judgements a folder has. `unjudged`: keep a folder's queries that have
    no judgements, and read none but `qrels`. Raises `InvalidInputError` for what is not
    there or not readable, naming file and line.
    """
    if depth < 1:
        raise InvalidInputError(f"depth is {depth}: keep at least 1 candidate")
    at, run_at, qrels_at = (None if p is None else Path(p) for p in (data, base, qrels))
    for path in (at, run_at, qrels_at):
        if path is not None and not path.exists():
            raise InvalidInputError(f"there is no file {path}")
    judged = {} if qrels_at is None else read_qrels(qrels_at)
    run = None if run_at is None else read_run(run_at, RETRIEVER)
    if at is None:
        if run is None:
            raise InvalidInputError(
                "name a folder with corpus.jsonl and queries.jsonl, a JSON-lines file of queries "
                "with their documents, or a TREC run as the base"
            )
        return _matching(_with_judge(_of_run({}, {}, run, judged).cut(depth), qrels_at))
    if at.is_dir():
        file = qrels_at if qrels_at is not None or unjudged else _qrels_file(at, split)
        if qrels_at is None and file is not None:
            judged = read_qrels(file)
        found = _folder(at, run, judged, depth, unjudged=unjudged)
        return _matching(_with_judge(found, file))
    if run is not None:
        raise InvalidInputError(f"{at} brings its own candidates: leave the base run out")
    return _matching(_with_judge(_json_lines(at, judged).cut(depth), qrels_at))


def _matching(found: Collection) -> Collection:
    """The same; raises where judgements and candidates have no id in common."""
    if not found.qrels or not found.candidates:
        return found
    both = found.qrels.keys() & found.candidates.keys()
    if not both:
        raise InvalidInputError(
            "no judged query has candidates: the query ids do not match; judgements have "
            f"{next(iter(found.qrels))!r}, the candidates {next(iter(found.candidates))!r}"
        )
    pairs = [(q, {str(c.id) for c in found.candidates[q]}) for q in both]
    if not any(ids & found.qrels[query].keys() for query, ids in pairs):
        query, ids = next((pair for pair in pairs if pair[1]), pairs[0])
        raise InvalidInputError(
            "no judged document is among the candidates of its query: the document ids do not "
            f"match; of query {query!r} judgements have {next(iter(found.qrels[query]), None)!r}, "
            f"the candidates {next(iter(sorted(ids)), None)!r}"
        )
    return found


def _with_judge(collection: Collection, qrels: Path | None) -> Collection:
    """The collection, which knows who judged it where that was a language model."""
    return replace(collection, provenance=None if qrels is None else provenance_of(qrels))


def _folder(
    folder: Path, run: Run | None, qrels: Qrels, depth: int, *, unjudged: bool = False
) -> Collection:
    for needed in ("corpus.jsonl", "queries.jsonl"):
        if not (folder / needed).is_file():
            raise InvalidInputError(f"{folder} has no {needed}")
    rows = {_id(row, line): row for line, row in _rows(folder / "queries.jsonl")}
    queries = {query: str(row.get("text", "")) for query, row in rows.items()}
    if qrels and not unjudged:
        queries = {query: text for query, text in queries.items() if query in qrels}
        if not queries:
            raise InvalidInputError(f"no query in {folder} is judged: the ids do not match")
    texts = {
        _id(row, line): f"{row.get('title') or ''} {row.get('text') or ''}".strip()
        for line, row in _rows(folder / "corpus.jsonl")
    }
    found = bm25_run(texts, queries, depth) if run is None else run
    collection = _of_run(queries, texts, found, qrels).cut(depth)
    return replace(collection, fields={query: _known_of(rows[query]) for query in queries})


def _of_run(
    queries: Mapping[str, str], texts: Mapping[str, str], run: Run, qrels: Qrels
) -> Collection:
    asked = [query for query in run.rankings if not queries or query in queries]
    if queries and not asked:
        raise InvalidInputError("the base run answers none of the queries")
    candidates: dict[str, list[Candidate]] = {}
    for query in asked:
        ranked = run.rankings[query]
        if texts and (strange := next((doc for doc in ranked.ids if doc not in texts), None)):
            raise InvalidInputError(f"the base run ranks {strange!r}, not in the corpus")
        candidates[query] = [
            Candidate(texts.get(doc, ""), id=doc, score=score)
            for doc, score in zip(ranked.ids, ranked.scores, strict=True)
        ]
    base = Run(run.name, {query: run.rankings[query] for query in asked}, run.by_score)
    texts_asked = {query: queries.get(query, "") for query in asked}
    return Collection(texts_asked, candidates, qrels, base)


def _qrels_file(folder: Path, split: str) -> Path | None:
    files = [folder / "qrels.txt", folder / f"qrels-{split}.txt", folder / f"qrels/{split}.tsv"]
    found = [file for file in files if file.is_file()]
    if not found:
        found = sorted((folder / "qrels").glob("*.tsv"))
    if len(found) > 1:
        names = ", ".join(str(file.relative_to(folder)) for file in found)
        raise InvalidInputError(f"{folder} has {names}: name one with qrels")
    return found[0] if found else None


def _json_lines(file: Path, qrels: Qrels) -> Collection:
    queries: dict[str, str] = {}
    candidates: dict[str, list[Candidate]] = {}
    fields: dict[str, dict[str, Any]] = {}
    for line, row in _rows(file):
        if not isinstance(row.get("query"), str) or not isinstance(row.get("documents"), list):
            raise InvalidInputError(
                f'{file}:{line} needs "query" (a string) and "documents" (a list)'
            )
        query = str(row.get("id", row.get("query_id", line)))
        if query in queries and SERVED not in row:  # in a log the latest counts
            raise InvalidInputError(f"{file}:{line}: query id {query!r} was there before")
        queries[query] = row["query"]
        fields[query] = _known_of(row)
        candidates[query] = []
        for index, document in enumerate(row["documents"]):
            try:
                candidate = to_candidate(document, index)
            except InvalidInputError as error:
                raise InvalidInputError(f"{file}:{line}: {error}") from None
            doc = candidate.id if candidate.id is not None else f"{query}/{index}"
            candidates[query].append(
                Candidate(candidate.text, doc, candidate.score, candidate.metadata)
            )
            grade = document.get("relevance") if isinstance(document, dict) else None
            if grade is not None:
                qrels.setdefault(query, {})[doc] = int(grade)
        if len({c.id for c in candidates[query]}) < len(candidates[query]):
            raise InvalidInputError(f"{file}:{line}: two documents have the same id")
    if not queries:
        raise InvalidInputError(f"{file} holds no query: it has no lines")
    return replace(of_candidates(queries, candidates, qrels), fields=fields)


def _known_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says of its query beside id, text and documents: what slices are made by."""
    nested = row.get("metadata")
    known = {**(nested if isinstance(nested, Mapping) else {}), **row}
    return {name: value for name, value in known.items() if name not in _NO_FIELDS}


def _rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(_decoded(lines, file), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InvalidInputError(f"{file}:{number} is not JSON: {error}") from None
            if not isinstance(row, dict):
                raise InvalidInputError(f"{file}:{number} is not a JSON object")
            yield number, row


def _decoded(lines: Iterable[str], file: Path) -> Iterator[str]:
    try:
        for line in lines:
            if "\0" in line:
                raise InvalidInputError(f"{file} is not text: it has a zero byte")
            yield line
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{file} is not UTF-8 text: {error.reason}") from None


def _id(row: Mapping[str, Any], number: int) -> str:
    identity = row.get("_id", row.get("id"))
    if identity is None:
        raise InvalidInputError(f'line {number} has no "_id": {str(dict(row))[:80]}')
    return str(identity)
