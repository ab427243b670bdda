"""What `parse_score` reads out of a reply about one document, and what it refuses."""

from __future__ import annotations

import pytest

from rerank_core.parsing import parse_score

TO_TEN = [
    ("8", 8),
    ("8.", 8),
    (" 8\n", 8),
    ("8/10", 8),
    ("8 / 10", 8),
    ("8 out of 10", 8),
    ("8.5", 8.5),
    ("8,5", 8.5),
    ("**8**", 8),
    ("`8`", 8),
    ("(8)", 8),
    ("[8]", 8),
    ('"8"', 8),
    ("80%", 8),
    ("80 %", 8),
    ("4/5", 8),
    ("８", 8),
    ("८", 8),
    ("٨", 8),
    ("⑧", 8),
    ("8️⃣", 8),
    ("７．５", 7.5),
    ("🔟", 10),
    ("★★★★☆", 8),
    ("⭐⭐⭐", 6),
    ("eight", 8),
    ("7-8", 7.5),
    ("~8", 8),
    ("-3", 0),
    ("12", 10),
    ("8 points", 8),
    ("8 points out of 10", 8),
    ("8分", 8),
    ("$8$", 8),
    ("\\boxed{8}", 8),
    ("8e0", 8),
    ("Score: 8", 8),
    ("score:8", 8),
    ("SCORE = 8", 8),
    ("Score - 8", 8),
    ("Score 8", 8),
    ("**Score:** 8/10", 8),
    ("**Relevance**: **8**", 8),
    ("Relevance: 7 (because it names 3 causes)", 7),
    ("Relevance Score:\n\n8", 8),
    ("# Score\n8", 8),
    ("Rating: 8 stars", 8),
    ("Grade: 8", 8),
    ("Score (0-10): 8", 8),
    ("Relevance score (from 0 to 10): 8", 8),
    ("Score [0-10]: 8", 8),
    ("The relevance score is 8.", 8),
    ("I'd give this passage a score of 8.", 8),
    ("I would rate it 8 because it answers in 2 lines.", 8),
    ("I give this document an 8.", 8),
    ("It deserves a 3, not a 9.", 3),
    ("This passage merits a solid 8 out of 10.", 8),
    ("On a scale from 0 to 10, I rate this passage 8.", 8),
    ("On a scale of 0 to 10, this is an 8.", 8),
    ("My answer: 8", 8),
    ("Answer: 8/10", 8),
    ("Output: 8", 8),
    ("8 - the passage names the cause", 8),
    ("8: the passage names the cause", 8),
    ("8 (highly relevant)", 8),
    ("8, as it names 3 causes.", 8),
    ("8\n\nThe passage names 3 causes.", 8),
    ("8. The passage names the cause.", 8),
    ("10 – perfect match", 10),
    ("The passage lists 25 sites in 2019 and phase 3.\n\n8", 8),
    ("Step 1: it names 4 causes.\nStep 2: dated 2019.\nScore: 8", 8),
    ("Confidence: 90%\nRelevance: 8", 8),
    ("Relevance: 8\nConfidence: 9", 8),
    ("Initial score: 5\nFinal score: 8", 8),
    ("Clarity score: 3\nOverall score: 8", 8),
    ("Score: 8\n\nQuery: what is tea\nPassage: ...\nScore: 3", 8),
    ("Puntuación: 8", 8),
    ("Relevanz: 8 von 10", 8),
    ("Note : 8/10", 8),
    ("评分：8", 8),
    ("相关性评分为8分", 8),
    ("оценка: 8", 8),
    ("スコア：８", 8),
    ("점수: 8", 8),
    ("الدرجة: ٨", 8),
    ("प्रासंगिकता: ८", 8),
    ("<score>8</score>", 8),
    ("<relevance>8</relevance><reason>2 facts</reason>", 8),
    ("<b>Score:</b> 8", 8),
    ("<answer>8</answer>", 8),
    ("<think>9? 3?</think>8", 8),
    ("so 9 it is</think>\n\n8", 8),
    ("<think>hm <answer>8</answer>", 8),
    ("score: 8\nreason: names 3 causes", 8),
    ("| Criterion | Score |\n|---|---|\n| Relevance | 8 |", 8),
    ('{"score": 8}', 8),
    ('{"score": "8"}', 8),
    ('{"score": "8/10"}', 8),
    ('{"Score": 8.0}', 8),
    ('{"value": 8}', 8),
    ('{"relevanceScore": 8, "confidence": 0.3}', 8),
    ('{"relevance": {"score": 8, "reason": "4"}}', 8),
    ('{"reasoning": "a score of 3 at first", "score": 8}', 8),
    ('{"score": 8,}', 8),
    ("{'score': 8}", 8),
    ("{score: 8}", 8),
    ('{"score": 8, "reason": "it names', 8),
    ('{"reason": "it names 3", "score": 8', 8),
    ('{"summary": "says "a" and "b"", "score": 8}', 8),
    ('```json\n{"score": 8}\n```', 8),
    ('```json\n{"score": 8}', 8),
    ('Here:\n{"score": 8}\nThat is 2 above 6.', 8),
    ("[8]", 8),
    ('[{"score": 8}]', 8),
    ('{"scores": [8]}', 8),
    ('"{\\"score\\": 8}"', 8),
    ("{“score”: 8}", 8),
    ("Not relevant.", 0),
    ("The passage is not relevant to the query.", 0),
    ("Irrelevant.", 0),
    ("N/A. Score: 0", 0),
]

REFUSED_TO_TEN = [
    "",
    "   ",
    "high",
    "Very relevant",
    "n/a",
    "null",
    "NaN",
    "inf",
    "-",
    "...",
    "[]",
    "{}",
    "Score:",
    "Score: N/A",
    "Score: high",
    "Score: <score>",
    "Score: X/10",
    "Score (0-10):",
    '{"score": null}',
    '{"score": true}',
    '{"score": ""}',
    '{"score": NaN}',
    '{"score": ',
    '{"status": "ok", "notes": "none"}',
    "20 passages are provided.",
    "3 reasons speak for it.",
    "See 123 Main Street.",
    "100% of the text is about tea.",
    "In 2019, COVID-19 spread to 25 countries.",
    "I'm sorry, I cannot rate this.",
    "<think>Score: 8, I would say",
    "GPT-4",
    "On 8/10/2023 it rained.",
    "version 8.1.2",
    '{"reason": "3 facts", "score": 1',
]

YES_NO = [
    ("Yes", 1),
    ("yes.", 1),
    ("**Yes**", 1),
    ("YES, it names the cause.", 1),
    ("No", 0),
    ("No, it does not.", 0),
    ("Answer: Yes", 1),
    ("Relevant: no", 0),
    ("Relevant", 1),
    ("Irrelevant", 0),
    ("Not relevant", 0),
    ("true", 1),
    ("False", 0),
    ("The passage is relevant.", 1),
    ("The passage is not relevant.", 0),
    ("<answer>yes</answer>", 1),
    ("<think>no? </think>Yes", 1),
    ('{"relevant": true}', 1),
    ('{"relevant": "no"}', 0),
    ('{"answer": "yes"}', 1),
    ("Ja", 1),
    ("Nein", 0),
    ("Oui", 1),
    ("Non", 0),
    ("Sí", 1),
    ("Да", 1),
    ("Нет", 0),
    ("是", 1),
    ("否", 0),
    ("はい", 1),
    ("いいえ", 0),
    ("1", 1),
    ("0", 0),
    ("0.85", 0.85),
    ("85%", 0.85),
    ("8/10", 0.8),
    ("Score: .85", 0.85),
    ("0,85", 0.85),
    ("8.5e-1", 0.85),
    ("5", 1),
    ("I cannot tell.", None),
    ("It depends.", None),
    ("", None),
    ("Score: 0.8", 0.8),
]


@pytest.mark.parametrize(("reply", "expected"), TO_TEN)
def test_reads_what_a_careful_reader_reads(reply: str, expected: float) -> None:
    """One score from 0 to 10, in many hands."""
    assert parse_score(reply, (0, 10)) == pytest.approx(expected / 10)


@pytest.mark.parametrize("reply", REFUSED_TO_TEN)
def test_refuses_what_a_careful_reader_refuses(reply: str) -> None:
    """Grades in words, counts, dates, templates and cut-off numbers are no scores."""
    assert parse_score(reply, (0, 10)) is None


@pytest.mark.parametrize(("reply", "expected"), YES_NO)
def test_reads_yes_no_and_fractions_on_a_scale_to_one(reply: str, expected: float | None) -> None:
    """Yes is 1, no is 0, and a number is read before either."""
    assert parse_score(reply, (0, 1)) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("reply", "scale", "expected"),
    [
        ("3", (1, 5), 0.5),
        ("0", (1, 5), 0.0),
        ("90 (nearly all of it)", (0, 100), 0.9),
        ("8/10", (0, 100), 0.8),
        ("2", (0, 3), 2 / 3),
        ("2/3", (0, 3), 2 / 3),
        ("-1", (-1, 1), 0.0),
        ("0", (-1, 1), 0.5),
    ],
)
def test_maps_any_scale_to_0_1(reply: str, scale: tuple[float, float], expected: float) -> None:
    """The low end is 0, the high end is 1, what is beyond is clamped."""
    assert parse_score(reply, scale) == pytest.approx(expected)


def test_words_count_where_the_prompt_asked_for_them() -> None:
    """A grade has the value, on the scale, that the caller gives it."""
    words = {"highly relevant": 3, "relevant": 2, "not relevant": 0}

    assert parse_score("**Highly relevant**, as it names it.", (0, 3), words=words) == 1.0
    assert parse_score('{"relevance": "Not relevant"}', (0, 3), words=words) == 0.0


@pytest.mark.parametrize("scale", [(1, 1), (2, 1), (0, float("inf")), (float("nan"), 1)])
def test_a_scale_that_is_none_is_refused(scale: tuple[float, float]) -> None:
    """A mistake of the caller's is not read as a missing score."""
    with pytest.raises(ValueError, match="a scale goes from a low to a higher number"):
        parse_score("1", scale)
