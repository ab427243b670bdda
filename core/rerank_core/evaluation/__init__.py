"""Does it help? Rerankers measured, compared and tuned on the user's own queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..runtime.on_demand import on_demand

if TYPE_CHECKING:
    from .collection import Collection as Collection
    from .collection import of_candidates as of_candidates
    from .difference import Difference as Difference
    from .difference import diff as diff
    from .evaluation import Evaluation as Evaluation
    from .evaluation import evaluate as evaluate
    from .journal import Journal as Journal
    from .judging.judge import judge as judge
    from .judging.judgements import Judgements as Judgements
    from .loading import load as load
    from .run import Run as Run
    from .running import run_reranker as run_reranker
    from .trec import read_qrels as read_qrels
    from .trec import read_run as read_run
    from .trec import write_run as write_run
    from .tuning import Tuning as Tuning
    from .tuning import tune as tune

_HOMES = {
    "Collection": "collection",
    "of_candidates": "collection",
    "Difference": "difference",
    "diff": "difference",
    "Evaluation": "evaluation",
    "evaluate": "evaluation",
    "Journal": "journal",
    "Judgements": "judging.judgements",
    "judge": "judging.judge",
    "load": "loading",
    "Run": "run",
    "run_reranker": "running",
    "read_qrels": "trec",
    "read_run": "trec",
    "write_run": "trec",
    "Tuning": "tuning",
    "tune": "tuning",
}

__all__ = sorted(_HOMES)

__getattr__, __dir__ = on_demand(__name__, _HOMES)
