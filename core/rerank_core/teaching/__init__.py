"""A large teacher's scores, taught to a small cross-encoder of your own.

    from rerank_core import Reranker
    from rerank_core.evaluation import load
    from rerank_core.teaching import teach

    found = teach(load("my-data"), Reranker("llm:gpt-4o-mini"), "student", config="rerank.toml")

Fine-tuned by sentence-transformers' own trainer, exported to ONNX, measured on queries that it
never saw, and named in a configuration file only if it wins there. `rerank teach`
on the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..runtime.on_demand import on_demand

if TYPE_CHECKING:
    from .distillation import teach as teach
    from .result import Teaching as Teaching
    from .settings import Settings as Settings

_HOMES = {"Settings": "settings", "Teaching": "result", "teach": "distillation"}

__all__ = sorted(_HOMES)

__getattr__, __dir__ = on_demand(__name__, _HOMES)
