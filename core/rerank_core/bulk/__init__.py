"""A whole run at once: queries with their candidates, from a file into a file, however many.

    from rerank_core import Reranker
    from rerank_core.bulk import run

    summary = run("candidates.jsonl", "reranked.trec", Reranker.from_config("reranker.toml"))

Streaming, so that memory stays where it is whatever the size; stopped or killed, the same call goes
on where it was. `rerank bulk` on the command line. `engine=Ray(...)` spreads it over a cluster, and
`RerankStage` is a stage for a Ray pipeline of your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..runtime.on_demand import on_demand

if TYPE_CHECKING:
    from .job import run as run
    from .ray_engine import Ray as Ray
    from .ray_stage import RerankStage as RerankStage
    from .summary import Summary as Summary

_HOMES = {"Ray": "ray_engine", "RerankStage": "ray_stage", "Summary": "summary", "run": "job"}

__all__ = sorted(_HOMES)

__getattr__, __dir__ = on_demand(__name__, _HOMES)
