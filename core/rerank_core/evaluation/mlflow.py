"""An evaluation as runs of MLflow, one a system: https://mlflow.org/docs/latest/tracking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..errors import ConfigurationError, Reason, ScorerError
from ..runtime.numbers import without_nan
from .evaluation import Evaluation, Result

#: Of the characters that a measure's name may have, MLflow's metrics take these alone.
_STRANGE = re.compile(r"[^\w\-./ ]")


def check_mlflow() -> Any:
    """The package. Raises `ConfigurationError` where it is not installed."""
    try:
        return import_module("mlflow")
    except ImportError:
        raise ConfigurationError("--mlflow needs MLflow: pip install mlflow") from None


def log_to_mlflow(found: Evaluation, params: Mapping[str, Any]) -> str:
    """Log every system beneath one run, where MLflow is set up to log; the id of that run.

    Metrics are the measures ("nDCG@10" is "nDCG_at_10" there), what it cost, and the difference to
    the base; parameters are `params`, and who judged. `evaluation.json` has all of it. Raises
    `ScorerError` where MLflow cannot be told: no server, no such store.
    """
    mlflow = check_mlflow()
    try:
        return _log(mlflow, found, params)
    except Exception as error:  # of whichever of its stores and clients
        why = " ".join(str(error).split())
        raise ScorerError(
            f"MLflow could not be told ({type(error).__name__}): {why:.300}",
            reason=Reason.CONNECTION,
        ) from error


def _log(mlflow: Any, found: Evaluation, params: Mapping[str, Any]) -> str:
    provenance = found.collection.provenance
    with mlflow.start_run(run_name="rerank eval", nested=mlflow.active_run() is not None) as whole:
        mlflow.log_params({name: str(value)[:500] for name, value in params.items()})
        mlflow.set_tags({"rerank.verdict": found.verdict, "rerank.base": found.base.name})
        if provenance is not None:
            mlflow.set_tag("rerank.judged_by", provenance.names)
        mlflow.log_dict(without_nan(found.to_dict()), "evaluation.json")
        for result in found.results:
            with mlflow.start_run(run_name=result.name, nested=True):
                mlflow.log_param("system", result.name)
                mlflow.log_metrics(_metrics(found, result))
    return str(whole.info.run_id)


def _metrics(found: Evaluation, result: Result) -> dict[str, float]:
    metrics = {_name(measure): float(mean) for measure, mean in result.means.items()}
    for measure, compared in result.against.items():
        metrics[f"{_name(measure)}_gain"] = compared.difference.mean
        metrics[f"{_name(measure)}_p"] = compared.p
    if (costs := result.costs) is not None:
        known = costs.to_dict()
        for name in ("p50", "p95", "p99", "calls", "tokens", "cost", "coverage", "degraded"):
            if known[name] is not None:
                metrics[name] = float(known[name])
    return metrics


def _name(measure: str) -> str:
    return _STRANGE.sub("_", measure.replace("@", "_at_"))
