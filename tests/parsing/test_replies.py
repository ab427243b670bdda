"""Replies that models really gave, and made-up ones, read as a person reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rerank_core.parsing import parse_permutation, parse_score, parse_scores, read_permutation

Case = dict[str, Any]


def cases(folder: Path, name: str) -> list[Case]:
    with (folder / "llm_outputs" / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def unit(value: float, scale: list[float]) -> float:
    return min(1.0, max(0.0, (value - scale[0]) / (scale[1] - scale[0])))


def is_read(case: Case) -> bool:
    """Whether the parser for this kind of reply reads what a careful person did.

    An empty `expected` is the answer that no document is relevant.
    """
    unparseable = case["expected"] == "unparseable"
    expected = {} if unparseable else {int(k): v for k, v in case["expected"].items()}
    count, first = case["num_docs"], case["id_base"]
    if "scale" not in case:
        order = [k - first for k in sorted(expected, key=lambda k: expected[k])]
        answered = bool(read_permutation(case["raw"], count, first)) is not unparseable
        return answered and parse_permutation(case["raw"], count, first) == order
    scale = case["scale"]
    if case["kind"] == "pointwise":
        found = {1: parse_score(case["raw"], scale)}
    else:
        scores = parse_scores(case["raw"], count, scale, first)
        found = {first + i: score for i, score in enumerate(scores)}
        if expected == {} and not unparseable:
            return set(scores) == {0.0}
    for name, score in found.items():
        given = expected.get(name)
        optional = str(name) in case.get("accept_missing", [])
        if score is None:
            if given is not None and not optional:
                return False
        elif given is None or not any(
            abs(score - unit(value, scale)) < 1e-9
            for value in [given, *case.get("accept", {}).get(str(name), [])]
        ):
            return False
    return True


def test_every_real_reply_is_read(shared_data: Path) -> None:
    """All kinds, of many models."""
    unread = [c["id"] for c in cases(shared_data, "replies.jsonl") if c["real"] and not is_read(c)]

    assert unread == []


def test_every_made_up_reply_is_read(shared_data: Path) -> None:
    """The hard shapes that no recorded reply happens to have."""
    unread = [
        c["id"] for c in cases(shared_data, "replies.jsonl") if not c["real"] and not is_read(c)
    ]

    assert unread == []


@pytest.mark.parametrize("name", ["pointwise.jsonl", "structured.jsonl"])
def test_every_recorded_json_reply_is_read(shared_data: Path, name: str) -> None:
    """Scores with summaries, and lists of ids from zero."""
    unread = [i for i, case in enumerate(cases(shared_data, name)) if not is_read(case)]

    assert unread == []


def test_an_order_in_words_is_read_as_an_order(shared_data: Path) -> None:
    """Where no number is readable but an order is."""
    for case in cases(shared_data, "replies.jsonl"):
        if "expected_order" in case:
            order = parse_permutation(case["raw"], case["num_docs"], case["id_base"])

            assert [i + case["id_base"] for i in order] == case["expected_order"]
