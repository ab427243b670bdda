"""What `parse_scores` reads out of a reply about several documents, and what it refuses."""

from __future__ import annotations

import pytest

from rerank_core.parsing import parse_scores

N = None

READ = [
    # labels, separators and markup
    ("Passage 3: 8\nPassage 1: 2", [2, N, 8]),
    ("[3] 8\n[1] 2", [2, N, 8]),
    ("[3]: 8\n[1]: 2", [2, N, 8]),
    ("[3] = 8, [1] = 2", [2, N, 8]),
    ("[3] (8), [1] (2)", [2, N, 8]),
    ("[3] -> 8\n[1] -> 2", [2, N, 8]),
    ("3. 8/10\n1. 2/10", [2, N, 8]),
    ("3) 8\n1) 2", [2, N, 8]),
    ("3: 8\n1: 2", [2, N, 8]),
    ("3: 8, 1: 2", [2, N, 8]),
    ("3 - 8\n1 - 2", [2, N, 8]),
    ("3\t8\n1\t2", [2, N, 8]),
    ("(3, 8), (1, 2)", [2, N, 8]),
    ("3:8,1:2", [2, N, 8]),
    ("Document 3 is on topic (8/10). Document 1 is not (2/10).", [2, N, 8]),
    ("Doc 3: relevance high (8)\nDoc 1: relevance low (2)", [2, N, 8]),
    ("Scores: 2, 5, 8", [2, 5, 8]),
    ("{'3': 8, '1': 2}", [2, N, 8]),
    ("doc_3: 8\ndoc_1: 2", [2, N, 8]),
    ("Doc3=8; Doc1=2", [2, N, 8]),
    ("doc-3: 8\ndoc-1: 2", [2, N, 8]),
    ("#3: 8\n#1: 2", [2, N, 8]),
    ("ID 3 | Score 8\nID 1 | Score 2", [2, N, 8]),
    ("**Document 3** — Score: 8\n**Document 1** — Score: 2", [2, N, 8]),
    (
        "- **Document 3**: 8/10 – answers it outright\n- **Document 1**: 2/10 – off the point",
        [2, N, 8],
    ),
    ("* Doc 3 (score: 8)\n* Doc 1 (score: 2)", [2, N, 8]),
    (
        "### Document 3\n\n**Score:** 8\n**Why:** names 4 causes\n\n### Document 1\n\n**Score:** 2",
        [2, N, 8],
    ),
    ("Document 3:\n- Relevance: 8\n- Reason: on topic\nDocument 1:\n- Relevance: 2", [2, N, 8]),
    ("Document 3\n8\nDocument 1\n2", [2, N, 8]),
    (
        "Document [3] has a relevance score of 8.\nDocument [1] has a relevance score of 2.",
        [2, N, 8],
    ),
    ("I would give passage 3 a score of 8 and passage 1 a score of 2.", [2, N, 8]),
    ("Document 3 scores 8 out of 10, while Document 1 scores 2 out of 10.", [2, N, 8]),
    ("Score for document 3: 8\nScore for document 1: 2", [2, N, 8]),
    ("Score: 8, Doc: 3\nScore: 2, Doc: 1", [2, N, 8]),
    ("Score: 8\nDocument: 3\n\nScore: 2\nDocument: 1", [2, N, 8]),
    ("8/10: Document 3\n2/10: Document 1", [2, N, 8]),
    ("1. Document 3: 8\n2. Document 1: 2", [2, N, 8]),
    ("1. [3] Score: 8\n2. [1] Score: 2", [2, N, 8]),
    ("Doc: 3, Relevance: 8 (names the 2 causes)\nDoc: 1, Relevance: 2 (dated 1998)", [2, N, 8]),
    ("Doc: [3], Relevance: [8]\nDoc: [1], Relevance: [2]", [2, N, 8]),
    (
        "Document 3 (published 2019): relevance 8\nDocument 1 (published 2004): relevance 2",
        [2, N, 8],
    ),
    ("Docs 1 and 3: 8\nDoc 2: 0", [8, 0, 8]),
    ("Documents 1-3, Score: 4", [4, 4, 4]),
    ("Documents [1]-[3]: 4", [4, 4, 4]),
    ("Doc: 2, 3, Relevance: 7\nDoc: 1, Relevance: 1", [1, 7, 7]),
    ("Doc: 1, 7\nDoc: 2, 4\nDoc: 3, 9", [7, 4, 9]),
    ("Doc 1, Doc 3: 8\nDoc 2: 0", [8, 0, 8]),
    ("The first document gets 2/10 and the 3rd document 8/10.", [2, N, 8]),
    ("El documento 3 tiene una puntuación de 8 y el documento 1 de 2.", [2, N, 8]),
    # numbers
    ("Doc 1: two\nDoc 3: eight", [2, N, 8]),
    ("Fragment 1: 2 na 10\nFragment 3: 8 na 10", [2, N, 8]),
    ("Doc 1: 85%\nDoc 3: 20 %", [8.5, N, 2]),
    ("Doc 1: 8,5\nDoc 3: 2,25", [8.5, N, 2.25]),
    ("Doc 1: 8.5\nDoc 3: .5", [8.5, N, 0.5]),
    ("Doc 1: 4/5\nDoc 3: 1/5", [8, N, 2]),
    ("Doc 1: 8 out of 10\nDoc 3: 2 out of 10", [8, N, 2]),
    ("Doc 1: 7-8\nDoc 3: 2–3", [7.5, N, 2.5]),
    ("Doc 1: ~8\nDoc 3: ≈2", [8, N, 2]),
    ("Doc 1: 12\nDoc 3: -4", [10, N, 0]),
    ("Document １：８点\nDocument ３：２点", [8, N, 2]),
    ("Doc ①: 8\nDoc ③: 2", [8, N, 2]),
    # other languages
    ("文档1：8分\n文档3：2分", [8, N, 2]),
    ("文档【1】，相关性：8\n文档【3】，相关性：2", [8, N, 2]),
    ("第1篇文档：8分\n第3篇文档：2分", [8, N, 2]),
    ("1번 문서: 8점\n3번 문서: 2점", [8, N, 2]),
    ("ドキュメント1: 8点\nドキュメント3: 2点", [8, N, 2]),
    ("문서 1: 8점\n문서 3: 2점", [8, N, 2]),
    ("Документ 1: оценка 8\nДокумент 3: оценка 2", [8, N, 2]),
    ("Dokument 1: Relevanz 8 von 10\nDokument 3: Relevanz 2 von 10", [8, N, 2]),
    ("Documento 1: puntuación 8\nDocumento 3: puntuación 2", [8, N, 2]),
    ("Document 1 : pertinence 8/10\nDocument 3 : pertinence 2/10", [8, N, 2]),
    ("दस्तावेज़ १: प्रासंगिकता ८\nदस्तावेज़ ३: प्रासंगिकता २", [8, N, 2]),
    ("المستند ١: ٨\nالمستند ٣: ٢", [8, N, 2]),
    ("dokumentti 1, osuvuus 8\ndokumentti 3, osuvuus 2", [8, N, 2]),
    # tables
    ("| Doc | Score |\n|---|---|\n| 3 | 8 |\n| 1 | 2 |", [2, N, 8]),
    ("| 3 | 8 |\n| 1 | 2 |", [2, N, 8]),
    ("Doc | Score\n--- | ---\n3 | 8\n1 | 2", [2, N, 8]),
    (
        "| Rank | Passage | Score |\n|:-:|:-:|:-:|\n| 1 | [3] | 8/10 |\n| 2 | [1] | 2/10 |",
        [2, N, 8],
    ),
    (
        "| Title | Document | Relevance |\n|---|---|---|\n| 100 ways | 3 | 8 |\n| 7 seas | 1 | 2 |",
        [2, N, 8],
    ),
    ("| # | Relevance |\n|---|---|\n| 3 | 8 |\n| 1 | 2 |", [2, N, 8]),
    ("id,score\n3,8\n1,2", [2, N, 8]),
    ("id;score\n3;8,5\n1;2", [2, N, 8.5]),
    ("id\tscore\n3\t8\n1\t2", [2, N, 8]),
    ("3,8\n1,2", [2, N, 8]),
    # JSON and its neighbours
    ('{"3": 8, "1": 2}', [2, N, 8]),
    ('{"doc_3": 8, "doc_1": "2"}', [2, N, 8]),
    ('{"Document 3": {"score": 8, "reason": "2 causes"}, "Document 1": {"score": 2}}', [2, N, 8]),
    ('{"[3]": 8, "[1]": 2}', [2, N, 8]),
    ('[{"id": 3, "score": 8}, {"id": 1, "score": 2}]', [2, N, 8]),
    (
        '[{"score": "8/10", "doc_id": "doc_3"}, {"score": "2/10", "doc_id": "doc_1"}]',
        [2, N, 8],
    ),
    (
        '{"results": [{"index": "3", "score": "8"}, {"index": "1", "score": "2"}]}',
        [2, N, 8],
    ),
    (
        '{"rankings": [{"rank": 1, "doc": 3, "score": 8}, {"rank": 2, "doc": 1, "score": 2}]}',
        [2, N, 8],
    ),
    ('{"scores": [2, 5, 8]}', [2, 5, 8]),
    ('{"scores": {"1": 2, "3": 8}, "comment": "none"}', [2, N, 8]),
    ('{"ids": [3, 1], "scores": [8, 2]}', [2, N, 8]),
    ("[2, 5, 8]", [2, 5, 8]),
    ("[[3, 8], [1, 2]]", [2, N, 8]),
    ('[{"3": 8}, {"1": 2}]', [2, N, 8]),
    ('[{"score": 2}, {"score": 5}, {"score": 8}]', [2, 5, 8]),
    ('["Doc 3: 8", "Doc 1: 2"]', [2, N, 8]),
    ('{"id": 3, "score": 8}\n{"id": 1, "score": 2}', [2, N, 8]),
    ("[{'id': 3, 'score': 8}, {'id': 1, 'score': 2}]", [2, N, 8]),
    ("{id: 3, score: 8}, {id: 1, score: 2}", [2, N, 8]),
    ('Sure!\n```json\n[{"id": 3, "score": 8}, {"id": 1, "score": 2},]\n```\nDone.', [2, N, 8]),
    ('```\n{"3": 8, "1": 2,}\n```', [2, N, 8]),
    ('[{"id": 3, "score": 8}, {"id": 1, "sco', [N, N, 8]),
    ('[{"id": 3, "score": 8}, {"id": 2, "score": 1', [N, N, 8]),
    ('{"scores": {"3": 8, "1": 2, "2', [2, N, 8]),
    ('{"3": 8, "1": 2', [2, N, 8]),
    ('{"3": 8, "1": 1', [N, N, 8]),
    ('[{"doc": "[3]", "rel": 8}, {"doc": "[1]", "rel": 2}]', [2, N, 8]),
    ('"{\\"3\\": 8, \\"1\\": 2}"', [2, N, 8]),
    ('[{"id": 3, "score": 8 // best\n}, {"id": 1, "score": 2}]', [2, N, 8]),
    ("- id: 3\n  score: 8\n  reason: 4 facts\n- id: 1\n  score: 2", [2, N, 8]),
    ("scores:\n  3: 8\n  1: 2", [2, N, 8]),
    ("doc_3:\n  score: 8\ndoc_1:\n  score: 2", [2, N, 8]),
    (
        '<text id="3"><score>8</score></text>\n<text id="1"><score>2</score></text>',
        [2, N, 8],
    ),
    ("<doc><id>3</id><score>8</score></doc><doc><id>1</id><score>2</score></doc>", [2, N, 8]),
    ('<result doc="3" score="8"/><result doc="1" score="2"/>', [2, N, 8]),
    # by position: exactly as many as there are documents
    ("2, 5, 8", [2, 5, 8]),
    ("2,5,8", [2, 5, 8]),
    ("2\n5\n8", [2, 5, 8]),
    ("Score: 2\nScore: 5\nScore: 8", [2, 5, 8]),
    ("1. Score: 2\n2. Score: 5\n3. Score: 8", [2, 5, 8]),
    ("1. A history of tea (1912)\n   Score: 2\n2. Tea today\n   Score: 5", [2, 5, N]),
    # reasoning, drafts, finals
    ("<think>Doc 1: 9? no</think>\nDoc 1: 2\nDoc 3: 8", [2, N, 8]),
    ("Doc 1 looks like a 5.</think>Doc 1: 2\nDoc 3: 8", [2, N, 8]),
    ("Doc 1: 5\nDoc 3: 4\n\nFinal scores:\nDoc 1: 2\nDoc 3: 8", [2, N, 8]),
    ("Doc 1: 2\nDoc 1: 9\nDoc 3: 8", [2, N, 8]),
    ('```json\n{"1": 5}\n```\nOn reflection:\n```json\n{"1": 2, "3": 8}\n```', [2, N, 8]),
    ("<answer>Doc 1: 2\nDoc 3: 8</answer>", [2, N, 8]),
    # what is missing stays missing, and moves nothing else
    ("Doc 1: 2\nDoc 2: n/a\nDoc 3: 8", [2, N, 8]),
    ("Doc 1: 2\nDoc 2: high\nDoc 3: 8", [2, N, 8]),
    ("Doc: 1, Relevance: 2\nDoc: 2, Relevance:\nDoc: 3, Relevance: 8", [2, N, 8]),
    ('{"1": 2, "2": null, "3": NaN}', [2, N, N]),
    ("Doc 1: 2\nDoc 7: 9\nDoc 3: 8", [2, N, 8]),
    ("Here are the scores from 0 to 10:\nDoc 1: 2\nDoc 3: 8", [2, N, 8]),
    ("Scores (0-10):\n1: 2\n3: 8", [2, N, 8]),
]

REFUSED = [
    "",
    "I'm sorry, I can't help with that.",
    "3 passages are provided.",
    "Doc: <number>, Relevance: <score>",
    "Doc: 9, Relevance: 7\nDoc: 3, Relevance: 4\nDoc: 7, Relevance: 3",
    "[1, 2]",
    '{"scores": [1, 2, 3, 4]}',
    "Document 1 lists 3 reasons; document 2 gives 5 reasons.",
    "The treaty of 1648 [1] ended the war [2].",
    "Document 1: High\nDocument 2: Low",
    "1. Document 3\n2. Document 1\n3. Document 2",
    "[] > []",
    "<think>Doc 1: 5, Doc 2: 7",
    "Doc 1: inf\nDoc 2: nan",
    "Doc 1, Rank: 2\nDoc 2, Rank: 1",
    "Doc 1 > Doc 3",
    "Document 1 (2019)\nDocument 2 (2020)",
    '[{"id": true, "score": 4}, {"id": 2, "score": true}]',
]


@pytest.mark.parametrize(("reply", "expected"), READ)
def test_reads_what_a_careful_reader_reads(reply: str, expected: list[float | None]) -> None:
    """Scores from 0 to 10 for three documents, in many hands."""
    read = parse_scores(reply, 3, (0, 10))

    assert read == [None if s is None else pytest.approx(s / 10) for s in expected]


@pytest.mark.parametrize("reply", REFUSED)
def test_refuses_what_a_careful_reader_refuses(reply: str) -> None:
    """Counts, echoes, citations, ranks and grades in words are no scores."""
    assert parse_scores(reply, 3, (0, 10)) == [None, None, None]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Doc 0: 8\nDoc 2: 2", [0.8, None, 0.2]),
        ('[{"index": 0, "score": 8}, {"index": 2, "score": 2}]', [0.8, None, 0.2]),
        ("[0] 8\n[1] 5\n[2] 2", [0.8, 0.5, 0.2]),
        ("Doc 3: 8\nDoc 0: 2\nDoc 1: 5", [0.2, 0.5, None]),
    ],
)
def test_counts_as_the_prompt_did(reply: str, expected: list[float | None]) -> None:
    """Document 0 is the first where the prompt began at 0, and 3 is then outside."""
    assert parse_scores(reply, 3, (0, 10), first_id=0) == expected


@pytest.mark.parametrize("first_id", [0, 1])
@pytest.mark.parametrize("used", [0, 1])
def test_a_complete_set_of_ids_by_the_other_count_is_shifted(first_id: int, used: int) -> None:
    """Three ids for three documents can only be all of them."""
    reply = "\n".join(f"Doc {used + i}: {i}" for i in range(3))

    assert parse_scores(reply, 3, (0, 10), first_id) == [0.0, 0.1, 0.2]


def test_ids_of_two_digits_are_not_cut() -> None:
    """12 is document 12, and neither 1 nor 2."""
    read = parse_scores("Doc 12: 9\nDoc 1: 2", 12, (0, 10))

    assert (read[0], read[1], read[11]) == (0.2, None, 0.9)


def test_words_count_where_the_prompt_asked_for_them() -> None:
    """Grades have the values, on the scale, that the caller gives them; the longest name wins."""
    words = {"high": 10, "low": 1, "very high": 10, "medium": 5}
    reply = "Document 1: **High**\nDocument 2: medium, as it is dated\nDocument 3: Very low"

    assert parse_scores(reply, 3, (0, 10), words=words) == [1.0, 0.5, 0.1]
    assert parse_scores("1. High\n3. low", 3, (0, 10), words=words) == [1.0, None, 0.1]


def test_one_document_needs_no_id() -> None:
    """With a single document a bare score is its score."""
    assert parse_scores("Score: 8", 1, (0, 10)) == [0.8]


def test_no_documents_no_scores() -> None:
    """Nothing is read for nothing."""
    assert parse_scores("Doc 1: 8", 0, (0, 10)) == []


def test_the_scale_need_not_begin_at_zero() -> None:
    """1 is the low end of a scale from 1 to 5."""
    assert parse_scores("Doc 1: 1\nDoc 2: 3\nDoc 3: 5", 3, (1, 5)) == [0.0, 0.5, 1.0]


def test_fractions_are_read_on_scales_to_one() -> None:
    """0.85 is not cut to 0, exponents are read."""
    assert parse_scores("Doc 1: 0.85\nDoc 2: 8.5e-1\nDoc 3: 0,85", 3, (0, 1)) == [0.85] * 3
