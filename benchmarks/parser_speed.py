"""How the parser's time grows with the length of a reply, for kind and for hostile text.

    python benchmarks/parser_speed.py [LENGTH]

Each row is one kind of text at LENGTH / 64, LENGTH / 32 and LENGTH characters (default 1,000,000):
seconds of the slowest of the three parsers, and how the time grows from the first length to its
double: 2.0 is linear, 4.0 would be quadratic. The last is beyond what is read of a text, so that it
shows the most that hostile text can cost. Below, milliseconds for everyday replies.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

from rerank_core.parsing import parse_permutation, parse_score, parse_scores

HOSTILE = {
    "[": "[",
    "{": "{",
    '{"a":': '{"a":',
    '[{"id": 1,': '[{"id": 1,',
    "1 > ": "1 > ",
    "[1] > ": "[1] > ",
    "[1": "[1",
    "1. ": "1. ",
    "ranges": "[1] > [2]-[900]-",
    "wide ranges": "[1]-[199] ",
    "doc ranges": "Docs 1-199: 3\n",
    "pairs": "1 2\n",
    "columns": "[1]\n",
    "final pairs": "final: 1 2\n",
    "empty objects": "{} ",
    "small objects": '{"1":2} ',
    "glosses": "1 (the best) > ",
    "number words": "one out of ",
    "boxes": "\\boxed{1} ",
    "grades": "1. High\n",
    "digits": "7",
    "digits and commas": "1,",
    "digits and dots": "1.",
    "<think>": "<think>",
    "</think>": "</think>",
    "<answer>": "<answer>",
    "<a": "<a",
    "```": "```",
    "```json {": "```json\n{",
    "quotes": '"',
    "nested quotes": '\\"',
    "backslashes": "\\",
    "underscores": "a_",
    "pipes": "|",
    "pipe rows": "| 1 | 2\n",
    "blanks": " ",
    "line ends": "\n",
    "letters": "a",
    "capital letters": "A > ",
    "words": "score ",
    "different words": "#",
    "doc words": "Doc: ",
    "doc lists": "Doc 1, 2, ",
    "labels": "Score:\n",
    "is relevant": "is not very ",
    "final": "final ",
    "least to": "least to ",
    "entities": "&gt;",
    "minus": "-",
    "percent": "%",
    "stars": "★",
    "circled": "③",
    "accents": "e\u0301\u0327",
    "records": "Doc: 3, Relevance: 7 (because of 2 facts)\n",
    "json lines": '{"id": 3, "score": 7}\n',
    "prose": "The passage on tea, written in 1912, names 3 kinds of leaf and is relevant. ",
}

EVERYDAY = {
    "one number": "8",
    "JSON object": json.dumps({"summary": "An account of tea. " * 20, "relevance_score": 8}),
    "JSON list of 20": json.dumps([{"id": i, "score": 7} for i in range(1, 21)]),
    "20 lines": "\n".join(f"Doc: {i}, Relevance: {i % 11}" for i in range(1, 21)),
    "chain of 20": " > ".join(f"[{i}]" for i in range(20, 0, -1)),
    "table of 20": "| Doc | Score |\n|---|---|\n"
    + "\n".join(f"| {i} | {i % 11} |" for i in range(1, 21)),
    "prose, then a score": "The passage names 3 kinds of tea. " * 20 + "\nScore: 8",
    "cut-off JSON": json.dumps([{"id": i, "score": 7} for i in range(1, 21)])[:-9],
}

PARSERS: dict[str, Callable[[str], object]] = {
    "score": lambda text: parse_score(text, (0, 10)),
    "scores": lambda text: parse_scores(text, 20, (0, 10)),
    "permutation": lambda text: parse_permutation(text, 20),
}


def text_of(unit: str, size: int) -> str:
    """`unit` over and over; "#" is a word of its own each time."""
    if unit != "#":
        return (unit * (size // len(unit) + 1))[:size]
    return " ".join(f"w{i:x}".translate(_LETTERS) for i in range(size // 5))[:size]


_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def seconds(parse: Callable[[str], object], text: str, repeats: int = 1) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        parse(text)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    length = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"{'text':22}{'parser':>12}{'L/64 s':>9}{'L/32 s':>9}{'L s':>9}{'growth':>8}")
    for name, unit in HOSTILE.items():
        rows = []
        for parser, parse in PARSERS.items():
            texts = [text_of(unit, size) for size in (length // 64, length // 32, length)]
            times = [seconds(parse, text, 3 if text is not texts[-1] else 1) for text in texts]
            rows.append((times[-1], times, parser))
        _, times, parser = max(rows)
        growth = times[1] / times[0]
        print(f"{name:22}{parser:>12}" + "".join(f"{t:9.3f}" for t in times) + f"{growth:8.1f}")
    print(f"\n{'everyday reply':24}" + "".join(f"{parser + ' ms':>16}" for parser in PARSERS))
    for name, text in EVERYDAY.items():
        figures = [seconds(parse, text, 200) * 1000 for parse in PARSERS.values()]
        print(f"{name:24}" + "".join(f"{figure:16.3f}" for figure in figures))


if __name__ == "__main__":
    main()
