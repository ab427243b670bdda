"""`rerank tune` for a cascade: when its last stage need not be asked."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from .. import config
from ..errors import InvalidInputError
from ..evaluation.collection import Collection
from ..evaluation.run import Run
from ..evaluation.running import run_reranker
from ..evaluation.skipping import Skipping, learn_unless
from ..reranker import Reranker
from ..scorers.cascade import Cascade, as_cascade, is_cascade
from . import judged, stdout
from .table import plain_table, put
from .waiting import progress, working


def among(systems: Sequence[judged.Asked]) -> bool:
    """Whether one of the systems is a cascade."""
    return any(is_cascade(config.options(one.table)["scorer"]) for one in systems if one.table)


def tune(
    systems: Sequence[judged.Asked],
    collection: Collection,
    output: Path,
    *,
    asking: Mapping[str, Any],
    as_json: bool,
    measure: str,
    **drawn: int,
) -> None:
    """Learn the margin, write the cascade with it or without, and print what it is worth.

    The stages before the last are run on their own, and then all of them. Raises
    `InvalidInputError` for more than one system.
    """
    if len(systems) > 1:
        raise InvalidInputError("a cascade is tuned alone: name no other system beside it")
    (system,) = systems
    options = config.options(system.table, top_n=None)
    *before, last = as_cascade(options.pop("scorer")).stages
    if not before:
        raise InvalidInputError("a cascade of one stage has no stage before it to skip it by")
    runs: list[Run] = []
    for name, stages in (("before", before), ("whole", [*before, replace(last, unless=None)])):
        with (
            progress(not as_json) as told,
            Reranker(Cascade(*stages), **options) as reranker,
        ):
            label = f"{system.name}, {name}"
            runs.append(run_reranker(label, reranker, collection, progress=told, **asking))
            depth = reranker.stages[-1].depth
    without, whole = runs
    with working("statistics"):
        found, note = learn_unless(
            collection, without, whole, depth=depth, measure=measure, **drawn
        )
    tuned = Cascade(*before, replace(last, unless=None if found is None else found.unless))
    table = {**system.table, "scorer": config.scorer_table(tuned)}
    about = {} if found is None else found.to_dict()
    tables = {"reranker": table, "tuned": {"measure": measure, **about, "notes": [note]}}
    output = judged.save_config(output, tables)
    if as_json:
        chosen = {"file": str(output), "skipping": about or None, "notes": [note]}
        print(stdout.as_json(chosen))
        return
    if found is not None:
        _show(found, measure)
    print(f"note: {note}", file=sys.stderr)
    print(f"written to {output}", file=sys.stderr)


def _show(found: Skipping, measure: str) -> None:
    table = plain_table(f"{found.queries} judged queries", measure, "last stage asked", width=26)
    table.add_row("without the last stage", f"{found.before:.4f}", "0%")
    table.add_row("with it", f"{found.whole:.4f}", "100%")
    share = f"{1 - found.skipped:.0%}"
    table.add_row(f"unless = {found.unless:.3g}, held out", f"{found.held_out:.4f}", share)
    put(Console(), table)
