"""Our stage in a Ray pipeline of the user's own: `Dataset.map_batches(RerankStage, …)`.

It imports nothing of Ray: a batch is a dict of columns, as Ray hands it over.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..errors import ConfigurationError, InvalidInputError
from ..protocols import traits_of
from ..ranking.given import Retrieved
from ..ranking.ranking import Ranking
from ..reranker import Reranker
from ..runtime import loop
from .worker import gathered, queries_at_once

Columns = dict[str, Any]


class RerankStage:
    """Reranks batches of queries, or scores batches of pairs; holds the model.

        dataset.map_batches(
            RerankStage,
            fn_constructor_kwargs={"reranker": "reranker.toml"},
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=8),
            batch_size=32,
        )

    `reranker`: a `Reranker`, or the path of its configuration file. Keys come from the environment
    of the worker. A batch of queries has the columns `query` and `documents` (lists of dicts with
    "text", or of strings): `documents` come back best first, as dicts with "rank" and "score"
    (null where there is none), and `coverage` (0..1) beside them. A batch of pairs has `query` and
    `text`: a column `score` is added, NaN where there is none; that needs a scorer to which the
    other texts of a query are nothing. `top_n` documents of a query are kept; None: all.

    Raises `InvalidInputError` for a batch with neither, `ConfigurationError` for pairs that the
    reranker cannot score one by one.
    """

    def __init__(
        self, reranker: Reranker | str | os.PathLike[str], *, top_n: int | None = None
    ) -> None:
        self.reranker = (
            reranker if isinstance(reranker, Reranker) else Reranker.from_config(reranker)
        )
        self.top_n = top_n
        self.reranker.warm_up()

    def __call__(self, batch: Mapping[str, Any]) -> Columns:
        """The batch with what was found out about it."""
        columns = dict(batch)
        if "query" in columns and "documents" in columns:
            return self._queries(columns)
        if "query" in columns and "text" in columns:
            return self._pairs(columns)
        raise InvalidInputError(
            "a batch needs the columns query and documents, or query and text; it has "
            f"{', '.join(map(str, columns))}"
        )

    def _queries(self, columns: Columns) -> Columns:
        import numpy as np

        lists = [list(some) for some in columns["documents"]]
        rankings = self._ranked(list(zip(map(str, columns["query"]), lists, strict=True)))
        found = np.empty(len(rankings), dtype=object)
        for at, ranking in enumerate(rankings):
            found[at] = [
                {key: value for key, value in hit.to_dict().items() if key != "score_components"}
                for hit in ranking.top[: self.top_n]
            ]
        coverage = np.array([ranking.report.coverage for ranking in rankings], dtype=float)
        return {**columns, "documents": found, "coverage": coverage}

    def _pairs(self, columns: Columns) -> Columns:
        import numpy as np

        self._check_independent()
        places: dict[str, list[int]] = {}
        for place, query in enumerate(map(str, columns["query"])):
            places.setdefault(query, []).append(place)
        texts = columns["text"]
        asked = [(query, [texts[place] for place in some]) for query, some in places.items()]
        scores = np.full(len(texts), np.nan)
        for some, ranking in zip(places.values(), self._ranked(asked), strict=True):
            for hit in ranking.all:
                if hit.score is not None:
                    scores[some[hit.index]] = hit.score
        return {**columns, "score": scores}

    def _ranked(self, asked: list[tuple[str, list[Any]]]) -> list[Ranking]:
        # an odd document of a batch, or a blank query, must not end the pipeline
        return loop.run(
            gathered(
                [
                    lambda query=query, some=some: self.reranker.arank(  # type: ignore[misc]
                        query, Retrieved(some), top_n=None, timeout=None
                    )
                    for query, some in asked
                ],
                queries_at_once(self.reranker),
            )
        )

    def _check_independent(self) -> None:
        stages = self.reranker.stages
        scorers = [traits_of(scorer) for scorer in self.reranker.scorers.values()]
        if len(stages) > 1 or stages[0].combine is not None or len(scorers) > 1:
            raise ConfigurationError(
                "pairs can be scored one by one by one scorer alone: give the stage a column "
                "documents, a query's whole list"
            )
        if not scorers[0].independent or scorers[0].to_unit is not None:
            raise ConfigurationError(
                f"{scorers[0].name} looks at a query's whole list: give the stage a column "
                "documents"
            )
