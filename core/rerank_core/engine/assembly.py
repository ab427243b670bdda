"""The pipeline of a reranker, from what it was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..protocols import Scorer, ScoreStore, traits_of
from ..scorers.named import Recipe
from .cache import Cache
from .engine import Engine
from .pipeline import Pipeline
from .rate_limit import RateLimit
from .stage import StageRunner


def assemble(
    stages: Sequence[Recipe],
    fallback: Mapping[str, Scorer],
    store: ScoreStore | None,
    *,
    close_store: bool,
    depth: int | None,
    max_concurrency: int | None,
    requests_per_minute: float | None,
    tokens_per_minute: float | None,
    hedge_after: float | None,
) -> Pipeline:
    """An engine for every scorer, stage after stage, and for the fallbacks of the first.

    A later stage falls back to the one before. What must be loaded begins to load.
    """
    cache = None if store is None else Cache(store, close_store=close_store)

    def engine(scorer: Scorer) -> Engine:
        traits = traits_of(scorer)
        return Engine(
            scorer,
            traits,
            max_concurrency or traits.max_concurrency,
            cache,
            rate_limit=RateLimit(requests_per_minute, tokens_per_minute),
            hedge_after=hedge_after,
        )

    runners = [
        StageRunner(
            {name: engine(scorer) for name, scorer in stage.scorers.items()},
            stage.combine,
            depth=stage.depth,
            unless=stage.unless,
            fallbacks=None if at else {name: engine(scorer) for name, scorer in fallback.items()},
        )
        for at, stage in enumerate(stages)
    ]
    pipeline = Pipeline(runners, cache, depth)
    pipeline.begin_loading()
    return pipeline
