"""Asks a reranker every query of a collection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..errors import InvalidInputError
from ..protocols import traits_of
from ..ranking.ranking import DegradedError, Ranking
from ..reranker import Reranker
from ..runtime import loop
from ..runtime.deadline import Timeout
from .collection import Collection
from .journal import Journal, ranking_key, system_key
from .run import Ranked, Run

#: Told of progress: the system's name, how many queries are done, how many there are.
Progress = Callable[[str, int, int], object]


def run_reranker(
    name: str,
    reranker: Reranker,
    collection: Collection,
    *,
    journal: Journal | None = None,
    timeout: Timeout = None,
    at_once: int = 1,
    progress: Progress | None = None,
) -> Run:
    """The reranker's run over all candidates of every query, without a deadline unless given.

    `journal`: rankings it has are not asked for again, new ones are added as they come. `at_once`:
    queries under way together; more than one is faster, and their latencies are those under load.

    Raises `InvalidInputError` where texts are missing; a `ScorerError` if key or model is refused.
    What was ranked before is in the journal.
    """
    return loop.run(_run(name, reranker, collection, journal, timeout, at_once, progress))


async def _run(
    name: str,
    reranker: Reranker,
    collection: Collection,
    journal: Journal | None,
    timeout: Timeout,
    at_once: int,
    progress: Progress | None,
) -> Run:
    if at_once < 1:
        raise InvalidInputError(f"at_once is {at_once}: ask at least 1 query at a time")
    if not collection.has_texts:
        raise InvalidInputError(
            f"{name} cannot be asked: queries or candidates have no text here, only ids; "
            "give a folder with corpus.jsonl and queries.jsonl, or compare runs"
        )
    await reranker.awarm_up()
    system = system_key(name, reranker)
    rankings: dict[str, Ranked] = {}
    free = asyncio.Semaphore(at_once)

    async def ask(query: str) -> None:
        candidates = collection.candidates[query]
        text = collection.queries[query]
        key = ranking_key(system, text, candidates) if journal is not None else ""
        ranked = journal.get(key) if journal is not None else None
        if ranked is None:
            async with free:
                ranking = await _rank(reranker, text, candidates, timeout)
            ranked = Ranked.of(ranking, [str(candidate.id) for candidate in candidates])
            if journal is not None:
                journal.add(key, name, query, ranked)
        rankings[query] = ranked
        if progress is not None:
            progress(name, len(rankings), len(collection.candidates))

    try:
        async with asyncio.TaskGroup() as group:
            for query in collection.candidates:
                group.create_task(ask(query))
    except ExceptionGroup as several:  # one is enough to know what is wrong
        raise several.exceptions[0] from None
    whole_list = any(not traits_of(scorer).independent for scorer in reranker.scorers.values())
    return Run(
        name, {query: rankings[query] for query in collection.candidates}, whole_list=whole_list
    )


async def _rank(reranker: Reranker, query: str, candidates: object, timeout: Timeout) -> Ranking:
    try:
        return await reranker.arank(query, candidates, top_n=None, timeout=timeout)  # type: ignore[arg-type]
    except DegradedError as error:  # on_error="raise": measured all the same, and said
        return error.ranking
