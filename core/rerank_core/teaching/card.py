"""The model card: what a student was taught on, by whom, how, and how good it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..runtime.replacing import replaced
from .result import Teaching
from .splits import RECORD

#: What Hugging Face reads of a card: https://huggingface.co/docs/hub/model-cards
_HEAD = """---
library_name: sentence-transformers
pipeline_tag: text-ranking
tags: [cross-encoder, reranker, distillation]
---
"""


def card(found: Teaching) -> str:
    """The card, as Markdown."""
    queries = found.queries
    rows = [
        f"| {name} | {mean:.4f} | {'—' if rate is None else f'{rate:,.0f}'} |"
        for name, mean, rate in found.rows()
    ]
    compared = [
        f"- against the {name}: {one['mean']:+.4f} [{one['low']:+.4f}, {one['high']:+.4f}], "
        f"p = {one['p_holm']:.3f}, {one['wins']} wins, {one['ties']} ties, {one['losses']} losses"
        for name, one in found.against.items()
    ]
    cost = "an unknown sum" if found.cost is None else f"{found.cost:.4f} US dollars"
    paid = f"its scores cost {cost}" if found.cost != 0 else "its scores cost nothing here"
    mixed = "with the retriever's scores, half and half after z-score" if found.mixed else "alone"
    share = "" if found.share is None else f" It keeps {found.share:.0%} of the teacher's gain."
    lines = [
        _HEAD,
        f"# A cross-encoder taught by {found.teacher}",
        "",
        f"{found.verdict()}{share}",
        "",
        "## Figures",
        "",
        f"On {queries['held_out']} judged queries that nothing was learned from, "
        f"{found.documents} candidates at most; the student {mixed}.",
        "",
        f"| | {found.measure} | documents/s |",
        "|---|---|---|",
        *rows,
        "",
        *compared,
        "",
        "Documents a second are those of the machine and the hour at hand.",
        "",
        "## Data",
        "",
        f"{queries['train']} queries to learn from, {queries['stopping']} to say when to stop, "
        f"{queries['held_out']} held out; {queries['unasked']} had no score of the teacher's.",
        f"Teacher: {found.teacher}; {paid}.",
        "",
        "## Training",
        "",
        f"From `{found.start}`, by sentence-transformers' CrossEncoderTrainer: "
        f"{found.training['steps']} steps on {found.training['device']} in "
        f"{found.training['seconds'] / 60:.1f} min; kept is step {found.training['best_step']}, "
        "the one with the least loss on the stopping queries.",
        "",
        "```json",
        json.dumps(dict(found.settings), indent=2),
        "```",
        "",
        *(_notes(found)),
        f"Seed {found.settings['seed']}, {found.date}, dropin-rerank {__version__}.",
        "",
    ]
    return "\n".join(lines)


def write(folder: Path, found: Teaching, record: Mapping[str, Any]) -> None:
    """Put README.md into the folder, and what programs read beside it, last."""
    replaced(folder / "README.md", card(found))
    replaced(folder / RECORD, json.dumps({**record, "result": found.to_dict()}, indent=2) + "\n")


def _notes(found: Teaching) -> list[str]:
    return [*(f"- {note}" for note in found.notes), ""] if found.notes else []
