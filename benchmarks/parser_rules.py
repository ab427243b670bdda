"""Which of the parser's rules read what models really wrote?

    python benchmarks/parser_rules.py

Counts the rule that won (`Reading.by`) over the recorded and made-up replies of `llm_outputs` and
over the replayed rerankings of TREC DL 2019, where they are at hand ($RERANK_DATA, or
../shared/data beside the checkout). Replies that a person calls unreadable count as "(nothing)".
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "core"))

from rerank_core.parsing import read_permutation, read_score, read_scores  # noqa: E402

DATA = Path(os.environ.get("RERANK_DATA", ROOT.parent / "shared" / "data"))
NOTHING = "(nothing)"


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def recorded(case: dict[str, Any]) -> tuple[str, str]:
    """The parser that a recorded reply is for, and the rule that reads it."""
    raw, scale = case["raw"], case.get("scale")
    if scale is None:
        return "permutation", read_permutation(raw, case["num_docs"], case["id_base"]).by
    if case["kind"] == "pointwise":
        return "score", read_score(raw, scale).by
    return "scores", read_scores(raw, case["num_docs"], scale, case["id_base"]).by


def main() -> None:
    counts: dict[str, Counter[str]] = {}
    for path in sorted((DATA / "llm_outputs").glob("*.jsonl")):
        for case in lines(path):
            parser, by = recorded(case)
            made_up = "" if case.get("real", True) else " (made up)"
            source = path.stem + made_up
            counts.setdefault(f"{parser:12}{by or NOTHING}", Counter())[source] += 1
    for path in sorted((DATA / "trec-dl-2019" / "replays").glob("*.jsonl")):
        for window in lines(path):
            by = read_permutation(window["raw"], len(window["docids"])).by
            counts.setdefault(f"{'permutation':12}{by or NOTHING}", Counter())[path.stem] += 1
    if not counts:
        raise SystemExit(f"no recorded replies at {DATA}: set RERANK_DATA")
    sources = sorted({source for found in counts.values() for source in found})
    width = max(map(len, counts)) + 2
    print(f"{'parser      rule':{width}}" + "".join(f"{s:>{len(s) + 2}}" for s in sources))
    for rule, found in sorted(counts.items()):
        cells = "".join(f"{found[s] or '':>{len(s) + 2}}" for s in sources)
        print(f"{rule:{width}}{cells}")


if __name__ == "__main__":
    main()
