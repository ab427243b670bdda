"""How the parser's time grows with the length of a reply, for kind and for hostile text.

    python benchmarks/parser_speed.py [LENGTH]

Each row is one kind of text at LENGTH / 16, LENGTH / 4 and LENGTH characters (default 1,000,000):
seconds of the slowest of the three parsers, and the last time as a multiple of the one before,
per character: 1.0 is linear, 4.0 would be quadratic. Below, milliseconds for everyday replies.
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


def seconds(parse: Callable[[str], object], text: str, repeats: int = 1) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        parse(text)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    length = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"{'text':22}{'parser':>12}{'L/16 s':>9}{'L/4 s':>9}{'L s':>9}{'growth':>8}")
    for name, unit in HOSTILE.items():
        rows = []
        for parser, parse in PARSERS.items():
            texts = [
                (unit * (size // len(unit) + 1))[:size]
                for size in (length // 16, length // 4, length)
            ]
            times = [seconds(parse, text) for text in texts]
            rows.append((times[-1], times, parser))
        _, times, parser = max(rows)
        growth = times[2] / times[1] / 4
        print(f"{name:22}{parser:>12}" + "".join(f"{t:9.3f}" for t in times) + f"{growth:8.2f}")
    print(f"\n{'everyday reply':24}" + "".join(f"{parser + ' ms':>16}" for parser in PARSERS))
    for name, text in EVERYDAY.items():
        figures = [seconds(parse, text, 200) * 1000 for parse in PARSERS.values()]
        print(f"{name:24}" + "".join(f"{figure:16.3f}" for figure in figures))


if __name__ == "__main__":
    main()
