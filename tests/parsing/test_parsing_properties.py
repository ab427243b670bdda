"""What holds for the parsers on any text at all."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_core.parsing import parse_permutation, parse_score, parse_scores, read_scores

PIECES = """
    [ ] { } ( ) < > " ' ` : = , . ; / % | - * # _ \\ & ~ 0 1 2 3 8 10 12 99 0.85 8,5 .5 1e9 NaN
    null true Infinity Doc Document Passage id index score Score relevance ranking of out to is and
    High Low yes no not relevant most least final answer e.g. <think> </think> <answer> </answer>
    <score> </score> ```json ``` 一 ① ٣ ８ é 文档 评分 ★ ☆ 🔟 \\u0000 \\boxed{ [] [1] [2] 1. 2)
    {"id":
    "score": Rank B C"""
FRAGMENTS = st.sampled_from(
    [
        *PIECES.split(),
        "\n",
        "\n\n",
        " ",
        "  ",
        "\t",
        "\r\n",
        "\u200b",
        "\ud800",
        "9" * 5000,
        "[" * 3000,
    ]
)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(FRAGMENTS, max_size=40).map("".join),
    st.lists(FRAGMENTS, max_size=40).map(" ".join),
)
COUNTS = st.one_of(st.integers(min_value=-1, max_value=30), st.just(1000))
FIRST = st.sampled_from([0, 1])
ANY_FIRST = st.one_of(FIRST, st.integers(min_value=-5, max_value=10**9))
BOUNDS = st.floats(min_value=-1e6, max_value=1e6)
SCALES = st.one_of(
    st.sampled_from([(0, 1), (0, 3), (0, 10), (1, 5), (-1, 1), (0, 100)]),
    st.tuples(BOUNDS, BOUNDS).filter(lambda bounds: bounds[0] < bounds[1]),
)


@given(TEXTS, SCALES)
@settings(max_examples=400, deadline=None)
def test_a_score_is_in_0_1_or_missing(text: str, scale: tuple[float, float]) -> None:
    """Whatever the text, and however often it is read; grades in words change nothing of that."""
    words = {"high": scale[1], "low": scale[0]}
    for score in (parse_score(text, scale), parse_score(text, scale, words=words)):
        assert score is None or 0.0 <= score <= 1.0
    assert parse_score(text, scale) == parse_score(text, scale)


@given(TEXTS, COUNTS, SCALES, ANY_FIRST)
@settings(max_examples=400, deadline=None)
def test_there_is_one_score_for_each_document(
    text: str, count: int, scale: tuple[float, float], first_id: int
) -> None:
    """As many as asked for, each in 0..1 or missing; grades in words change nothing of that."""
    words = {"high": scale[1], "low": scale[0]}
    for scores in (
        parse_scores(text, count, scale, first_id),
        parse_scores(text, count, scale, first_id, words=words),
    ):
        assert len(scores) == max(0, count)
        assert all(score is None or 0.0 <= score <= 1.0 for score in scores)


@given(TEXTS, COUNTS, ANY_FIRST)
@settings(max_examples=400, deadline=None)
def test_an_order_has_each_document_at_most_once(text: str, count: int, first_id: int) -> None:
    """Positions in range, none twice."""
    order = parse_permutation(text, count, first_id)

    assert len(set(order)) == len(order)
    assert all(0 <= position < count for position in order)


@given(st.permutations(range(12)), st.integers(1, 12), FIRST, st.sampled_from([" > ", ">", " ＞ "]))
def test_a_chain_is_read_back(order: list[int], length: int, first_id: int, sign: str) -> None:
    """Any order of any length, in brackets."""
    chain = sign.join(f"[{position + first_id}]" for position in order[:length])

    assert parse_permutation(chain, 12, first_id) == order[:length]


@given(st.lists(st.integers(0, 10), min_size=2, max_size=12), FIRST)
def test_scores_are_read_back(scores: list[int], first_id: int) -> None:
    """In lines, and as JSON."""
    named = [(i + first_id, score) for i, score in enumerate(scores)]
    lines = "\n".join(f"Doc {i}: {score}" for i, score in named)
    pairs = ", ".join(f'{{"id": {i}, "score": {score}}}' for i, score in named)
    expected = [score / 10 for score in scores]

    assert parse_scores(lines, len(scores), (0, 10), first_id) == expected
    assert parse_scores(f"[{pairs}]", len(scores), (0, 10), first_id) == expected


NAMED_SCORES = st.lists(st.integers(0, 10), min_size=2, max_size=12)


@given(NAMED_SCORES, FIRST)
@settings(max_examples=25)
def test_json_that_was_cut_off_gives_no_wrong_score(scores: list[int], first_id: int) -> None:
    """Wherever it ends: `"score": 1` may have been 10, and an id 1 may have been 12."""
    entries = [{"id": i + first_id, "score": score} for i, score in enumerate(scores)]
    replies = [
        json.dumps({"scores": entries}),
        json.dumps({str(entry["id"]): entry["score"] for entry in entries}),
    ]
    for cut in (reply[:end] for reply in replies for end in range(len(reply))):
        read = parse_scores(cut, len(scores), (0, 10), first_id)

        assert all(r is None or r == score / 10 for r, score in zip(read, scores, strict=True)), cut


@given(st.permutations(range(1, 15)), st.data())
def test_a_chain_that_was_cut_off_is_the_beginning_of_its_order(
    ids: list[int], data: st.DataObject
) -> None:
    """A number without its closing bracket is none, as 1 may have been 12."""
    reply = " > ".join(f"[{name}]" for name in ids)
    read = parse_permutation(reply[: data.draw(st.integers(0, len(reply)))], len(ids))

    assert [i + 1 for i in read] == ids[: len(read)]


DIGITS = st.sampled_from(["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９"])


@given(NAMED_SCORES, DIGITS)
def test_the_script_of_the_digits_does_not_matter(scores: list[int], digits: str) -> None:
    """Nor do full-width signs."""
    lines = "\n".join(f"Doc {i}: {score}" for i, score in enumerate(scores, start=1))
    chain = " > ".join(f"[{i}]" for i in range(len(scores), 0, -1))
    other = str.maketrans("0123456789>", digits + "＞")

    for reply in (lines, chain):
        translated = reply.translate(other)
        read = parse_scores(translated, len(scores), (0, 10))

        assert read == parse_scores(reply, len(scores), (0, 10))
        assert parse_permutation(translated, len(scores)) == parse_permutation(reply, len(scores))


THOUGHTS = TEXTS.filter(lambda text: "<" not in text and ">" not in text)


@given(THOUGHTS, NAMED_SCORES, st.sampled_from(["{}", "**{}**", "```\n{}\n```", "\n\n {} \n"]))
def test_thoughts_and_markup_do_not_matter(text: str, scores: list[int], around: str) -> None:
    """What a model thinks before it answers has no say, whatever it is."""
    thought = f"<think>{text}</think>\n"
    chain = around.format(" > ".join(f"[{i}]" for i in range(len(scores), 0, -1)))
    lines = around.format("\n".join(f"Doc {i}: {s}" for i, s in enumerate(scores, start=1)))

    assert parse_score(thought + around.format(scores[0]), (0, 10)) == scores[0] / 10
    assert parse_scores(thought + lines, len(scores), (0, 10)) == [s / 10 for s in scores]
    assert parse_permutation(thought + chain, len(scores)) == list(range(len(scores)))[::-1]


@given(st.integers(0, 10), st.integers(1, 1000))
def test_a_fraction_is_read_on_any_scale(score: int, high: int) -> None:
    """Eight of ten is 0.8, whatever the prompt's scale goes to."""
    for reply in (f"{score}/10", f"Score: {score} out of 10", f"{score * 10}%"):
        assert parse_score(reply, (0, high)) == pytest.approx(score / 10)


Named = list[tuple[int, int]]
#: The same scores by id, in every form that names its documents.
KEYED: dict[str, Callable[[Named], str]] = {
    "objects": lambda named: json.dumps({"scores": [{"id": i, "score": s} for i, s in named]}),
    "texts in objects": lambda named: json.dumps(
        [{"doc_id": f"doc_{i}", "relevance": f"{s}/10", "why": "2 facts"} for i, s in named]
    ),
    "JSON lines": lambda named: "\n".join(json.dumps({"id": i, "score": s}) for i, s in named),
    "mapping": lambda named: json.dumps({str(i): s for i, s in named}),
    "mapping of objects": lambda named: json.dumps({f"[{i}]": {"score": s} for i, s in named}),
    "list of mappings": lambda named: json.dumps([{str(i): s} for i, s in named]),
    "pairs": lambda named: json.dumps(named),
    "parallel lists": lambda named: json.dumps(
        {"ids": [i for i, _ in named], "scores": [s for _, s in named]}
    ),
    "broken mapping": lambda named: f"{{{', '.join(f'{i!r}: {s}' for i, s in named)},}}",
    "fenced": lambda named: f"So:\n```json\n{json.dumps(dict(named), indent=1)}\n```\nDone.",
    "lines": lambda named: "\n".join(f"{i}:{s}" for i, s in named),
    "spaced lines": lambda named: "\n".join(f"{i} : {s}" for i, s in named),
    "one line": lambda named: ", ".join(f"{i}: {s}" for i, s in named),
    "lines in words": lambda named: "\n".join(f"Doc: {i}, Relevance: {s}" for i, s in named),
    "bullets": lambda named: "\n".join(f"- **Document {i}**: {s}/10, as it is" for i, s in named),
    "brackets": lambda named: "\n".join(f"[{i}] {s}" for i, s in named),
    "headings": lambda named: "\n\n".join(f"### Document {i}\n**Score:** {s}" for i, s in named),
    "table": lambda named: (
        "| Doc | Score |\n|---|---|\n" + "\n".join(f"| {i} | {s} |" for i, s in named)
    ),
    "CSV": lambda named: "id,score\n" + "\n".join(f"{i},{s}" for i, s in named),
    "YAML": lambda named: "scores:\n" + "\n".join(f"  - id: {i}\n    score: {s}" for i, s in named),
    "tags": lambda named: "".join(f"<doc><id>{i}</id><score>{s}</score></doc>" for i, s in named),
}


@pytest.mark.parametrize("form", KEYED)
@given(NAMED_SCORES, st.integers(0, 40), FIRST, st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_more_ids_than_were_asked_take_nothing_from_those_that_were(
    form: str, scores: list[int], more: int, first_id: int, chance: random.Random
) -> None:
    """Ten asked, 1 to 21 answered, in whatever order: the ten are read, the rest is ignored."""
    count = len(scores)
    named = list(enumerate(scores, start=first_id))
    named += [(first_id + count + i, i % 11) for i in range(more)]
    chance.shuffle(named)

    read = parse_scores(KEYED[form](named), count, (0, 10), first_id)

    assert read == [pytest.approx(score / 10) for score in scores]


SHORT = {name: KEYED[name] for name in ("mapping", "fenced", "lines", "spaced lines", "one line")}


@pytest.mark.parametrize("form", SHORT)
@given(st.lists(st.integers(0, 10), min_size=2, max_size=12), FIRST, st.data())
@settings(max_examples=50)
def test_a_short_form_that_was_cut_off_scores_no_document_wrongly(
    form: str, scores: list[int], first_id: int, data: st.DataObject
) -> None:
    """`{"1":7,"2":3` and `1:7` on lines, out of order: what is complete is read, and only that."""
    count = len(scores)
    named = data.draw(st.permutations(list(enumerate(scores, start=first_id))))
    reply = SHORT[form](named).replace(": ", data.draw(st.sampled_from([":", ": ", " : "])))
    cut = reply[: data.draw(st.integers(0, len(reply)))]

    read = read_scores(cut, count, (0, 10), first_id, cut_off=cut != reply).values

    assert all(
        score is None or score == true / 10 for score, true in zip(read, scores, strict=True)
    ), cut
    complete = re.findall(r": ?\d+(?=[,\n}])", cut)
    assert sum(score is not None for score in read) >= len(complete), cut


BOMBS = {
    "deep lists": "[" * 50_000,
    "deep objects": '{"a":' * 10_000,
    "deep and closed": "[" * 20_000 + "]" * 20_000,
    "a huge number": "8" * 100_000,
    "a huge number in JSON": '{"score": ' + "9" * 100_000 + "}",
    "huge ids": '[{"id": ' + "1" * 5_000 + ', "score": 4}]',
    "a huge exponent": '{"score": 1e999999}',
    "half a surrogate": "\ud83d [1] > [2",
    "nulls": "\x00" * 10_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_text_raises(name: str) -> None:
    """Nor does one that is read near the end of the stack."""
    text = BOMBS[name]

    def deep(levels: int) -> None:
        if levels:
            deep(levels - 1)
        else:
            parse_score(text, (0, 10))
            parse_scores(text, 3, (0, 10))
            parse_permutation(text, 3)

    deep(0)
    deep(sys.getrecursionlimit() // 2)
