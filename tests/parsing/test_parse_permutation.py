"""What `parse_permutation` reads out of a reply that ranks, and what it refuses."""

from __future__ import annotations

import pytest

from rerank_core.parsing import parse_permutation

READ = [
    # chains
    ("[2] > [1] > [4]", [2, 1, 4]),
    ("2 > 1 > 4", [2, 1, 4]),
    ("2>1>4", [2, 1, 4]),
    ("[2]>[1]>[4]", [2, 1, 4]),
    ("(2) > (1) > (4)", [2, 1, 4]),
    ("[2] >> [1] >> [4]", [2, 1, 4]),
    ("[2] => [1] => [4]", [2, 1, 4]),
    ("[2] -> [1] -> [4]", [2, 1, 4]),
    ("[2] &gt; [1] &gt; [4]", [2, 1, 4]),
    ("【2】＞【1】＞【4】", [2, 1, 4]),
    ("[２] ≻ [１] ≻ [４]", [2, 1, 4]),
    ("[٢] > [١] > [٤]", [2, 1, 4]),
    ("Doc 2 > Doc 1 > Doc 4", [2, 1, 4]),
    ("doc_2 > doc_1 > doc_4", [2, 1, 4]),
    ("D2 > D1 > D4", [2, 1, 4]),
    ("[Passage 2] > [Passage 1] > [Passage 4]", [2, 1, 4]),
    ("**[2]** > **[1]** > **[4]**", [2, 1, 4]),
    ("`[2] > [1] > [4]`", [2, 1, 4]),
    ("\\[2\\] > \\[1\\] > \\[4\\]", [2, 1, 4]),
    ("[2] > [1] = [4]", [2, 1, 4]),
    ("[2] ≥ [1] ≥ [4]", [2, 1, 4]),
    ("[2] >\n[1] >\n[4]", [2, 1, 4]),
    ("[2]\n> [1]\n> [4]", [2, 1, 4]),
    ("[2] > [1] > ... > [4]", [2, 1, 4]),
    ("[2] > [3]-[5] > [1]", [2, 3, 4, 5, 1]),
    ("The ranking is: [2] > [1] > [4].", [2, 1, 4]),
    ("Ranking: 2 > 1", [2, 1]),
    ("2 > [1] > [4]", [2, 1, 4]),
    ("2] > [1] > [4]", [2, 1, 4]),
    ("5 passages are provided. [2] > [1] > [4]", [2, 1, 4]),
    ("100% of the documents matter. 2 > [1] > [4]", [2, 1, 4]),
    ("1. [2] > 2. [1] > 3. [4]", [2, 1, 4]),
    ("1. [2] > [1] > [4]", [2, 1, 4]),
    ("[2] > [1] > [4] > [3", [2, 1, 4]),
    ("[2] > [1] > [4] > 3", [2, 1, 4]),
    ("[2] > [1] > [4] >", [2, 1, 4]),
    ("[2] > [1] > [2] > [4] > [1]", [2, 1, 4]),
    ("[2] > [9] > [0] > [1]", [2, 1]),
    ("[4] < [1] < [2]", [2, 1, 4]),
    ("B > A > D", [2, 1, 4]),
    ("[B] > [A] > [D]", [2, 1, 4]),
    ("[2] > [1] > [4]\n\nPassage [3] and passage [5] say nothing of it.", [2, 1, 4]),
    ("Passage [4] is about tea. Passage [1] is about 3 kinds.\n\n[2] > [1] > [4]", [2, 1, 4]),
    ("[2] (names it) > [1] > [4] (off the point)", [2, 1, 4]),
    # finals
    ("Final answer: [2] > [1]", [2, 1]),
    ("[1] > [2] > [4]\nWait.\nFinal ranking: [2] > [1] > [4]", [2, 1, 4]),
    ("<think>[1] > [2]</think>[2] > [1] > [4]", [2, 1, 4]),
    ("I lean to [1] > [2].</think>\n[2] > [1]", [2, 1]),
    ("<think>maybe [1] > [2] <answer>[2] > [1]</answer>", [2, 1]),
    ("<answer>[2] > [1] > [4]</answer>", [2, 1, 4]),
    ("\\boxed{[2] > [1]}", [2, 1]),
    ("The output should look like e.g. [1] > [3].\n[2] > [1] > [4]", [2, 1, 4]),
    # rows
    ("2, 1, 4", [2, 1, 4]),
    ("2,1,4", [2, 1, 4]),
    ("2 1 4", [2, 1, 4]),
    ("2; 1; 4", [2, 1, 4]),
    ("[2], [1], [4]", [2, 1, 4]),
    ("[2][1][4]", [2, 1, 4]),
    ("[2] [1] [4]", [2, 1, 4]),
    ("Ranking: 2, 1, 4", [2, 1, 4]),
    ("Here is the order:\n[2], [1], [4]", [2, 1, 4]),
    ("Passage 2, Passage 1, Passage 4", [2, 1, 4]),
    ("Documents 2, 1 and 4", [2, 1, 4]),
    ("[2] then [1] then [4]", [2, 1, 4]),
    ("[2], followed by [1], and finally [4]", [2, 1, 4]),
    ("From least to most relevant: 4, 1, 2", [2, 1, 4]),
    ("B, A, D", [2, 1, 4]),
    ("2 (best), 1, 4 (worst)", [2, 1, 4]),
    ("First [2], then [1], then [4].", [2, 1, 4]),
    # columns
    ("2\n1\n4", [2, 1, 4]),
    ("- 2\n- 1\n- 4", [2, 1, 4]),
    ("2 (the best)\n1\n4 (the worst)", [2, 1, 4]),
    ("[2]\n[1]\n[4]", [2, 1, 4]),
    ("1. [2]\n2. [1]\n3. [4]", [2, 1, 4]),
    ("1. Passage 2\n2. Passage 1\n3. Passage 4", [2, 1, 4]),
    ("1) Document 2 - names it\n2) Document 1 - near\n3) Document 4 - far", [2, 1, 4]),
    ("1. **Passage 2**: best\n2. **Passage 1**: partly\n3. **Passage 4**: no", [2, 1, 4]),
    ("1. 2\n2. 1\n3. 4", [2, 1, 4]),
    ("1: 2\n2: 1\n3: 4", [2, 1, 4]),
    ("Rank 1: Document 2\nRank 2: Document 1\nRank 3: Document 4", [2, 1, 4]),
    ("#1: Doc 2\n#2: Doc 1\n#3: Doc 4", [2, 1, 4]),
    ("1st: [2]\n2nd: [1]\n3rd: [4]", [2, 1, 4]),
    ("First: [2]\nSecond: [1]\nThird: [4]", [2, 1, 4]),
    ("- [2] is the closest\n- [1] is partly about it\n- [4] is not", [2, 1, 4]),
    ("[2] names the cause.\n[1] names a place.\n[4] names nobody.", [2, 1, 4]),
    ("| Rank | Passage |\n|---|---|\n| 1 | 2 |\n| 2 | 1 |\n| 3 | 4 |", [2, 1, 4]),
    ("| Passage | Rank |\n|---|---|\n| 1 | 2 |\n| 2 | 1 |\n| 4 | 3 |", [2, 1, 4]),
    ("1. 文档2\n2. 文档1\n3. 文档4", [2, 1, 4]),
    ("ranking:\n  - 2\n  - 1\n  - 4", [2, 1, 4]),
    # JSON
    ("[2, 1, 4]", [2, 1, 4]),
    ('["2", "1", "4"]', [2, 1, 4]),
    ('["[2]", "[1]", "[4]"]', [2, 1, 4]),
    ('["doc_2", "doc_1", "doc_4"]', [2, 1, 4]),
    ('["B", "A", "D"]', [2, 1, 4]),
    ("['2', '1', '4']", [2, 1, 4]),
    ('{"ranking": [2, 1, 4]}', [2, 1, 4]),
    ('{"ranking": ["2", "1", "4"], "excluded": [3, 5]}', [2, 1, 4]),
    ('{"thought": "3 and 5 are off", "ranked_ids": [2, 1, 4]}', [2, 1, 4]),
    ('{"ranking": "[2] > [1] > [4]"}', [2, 1, 4]),
    ('{"ranking": "2, 1, 4"}', [2, 1, 4]),
    ('{"ranking": [{"id": 2}, {"id": 1}, {"id": 4}]}', [2, 1, 4]),
    ('[{"rank": 2, "id": 1}, {"rank": 1, "id": 2}, {"rank": 3, "id": 4}]', [2, 1, 4]),
    ('[{"id": 1, "score": 5}, {"id": 2, "score": 9}, {"id": 4, "score": 1}]', [2, 1, 4]),
    ('{"1": "[2]", "2": "[1]", "3": "[4]"}', [2, 1, 4]),
    ("Sure:\n```json\n[2, 1, 4]\n```\nPassage 3 and 5 were left out.", [2, 1, 4]),
    ("```\n[2, 1, 4,]\n```", [2, 1, 4]),
    ('["2", "1", "4", "', [2, 1, 4]),
    ('["2", "1", "4", "5', [2, 1, 4]),
    ("[2, 1, 4, 5", [2, 1, 4]),
    ('{"ranking": [2, 1, 4', [2, 1]),
    ('{"ranking": [2, 1, 4], "why": "because the', [2, 1, 4]),
    ('"[2, 1, 4]"', [2, 1, 4]),
    ("[[2], [1], [4]]", [2, 1, 4]),
    ("[2, 2, 1, 9, 4]", [2, 1, 4]),
    ('{"1st": 2, "2nd": 1, "3rd": 4}', [2, 1, 4]),
    ('{"rank_1": "Passage 2", "rank_2": "Passage 1"}', [2, 1]),
    ('{"most_relevant": 2}', [2]),
    # sentences and single picks
    ("[2]", [2]),
    ("2", [2]),
    ("Passage 2", [2]),
    ("B", [2]),
    ("Passage B", [2]),
    ("Answer: [2]", [2]),
    ("Passages 2 and 1 are relevant.", [2, 1]),
    ("The most relevant is [2], followed by [1].", [2, 1]),
    ("The most relevant passage is 2.", [2]),
    ("The most relevant passage is passage 2, followed by 1 and 4.", [2, 1, 4]),
    ("Passage 2 is the most relevant. Passage 1 is the next best match.", [2, 1]),
    ("I would choose Document 2 because it names 3 causes.", [2]),
    ("Passage 4 is not relevant. Passage 2 answers the question best.", [2]),
    ("The correct order is 2, 1, and 4.", [2, 1, 4]),
    ("Passage 2 is more relevant than Passage 1.", [2, 1]),
    # grades and scores tell an order too
    ("[1] 3\n[2] 9\n[3] 5\n[4] 8\n[5] 0", [2, 4, 3, 1, 5]),
    ("[1] Score: 3\n[2] Score: 5\n[3] Score: 4\n[4] Score: 1\n[5] Score: 2", [2, 3, 1, 5, 4]),
    ("Document 1: 3\nDocument 2: 5\nDocument 3: 3\nDocument 4: 0\nDocument 5: 4", [2, 5, 1, 3, 4]),
    ("[1] 7/10\n[2] 9/10\n[3] 5/10\n[4] 0/10\n[5] 1/10", [2, 1, 3, 5, 4]),
    ("1. 3\n2. 5\n3. 3\n4. 2", [3, 5, 2]),  # these are ranks, and one is named twice
    ("Document 1: Medium\nDocument 2: High\nDocument 4: Low", [2, 1, 4]),
    ("Document 1: 5/10\nDocument 2: 9/10\nDocument 4: 1/10", [2, 1, 4]),
]

REFUSED = [
    "",
    "[]",
    "[] > []",
    "[X] > [Y]",
    "5 passages are provided.",
    "5 passages have been given, so the ranking should run from 1 to 5.",
    "100% of the passages are about tea.",
    "I will now rank the 5 passages.",
    "I cannot rank these passages.",
    "None of the passages is relevant.",
    "[1] The United States Department of",
    "[1] Tea is a drink made of\n[2] Coffee is a drink made of\n[3] Water is",
    "The war ended in 1648 [1] and the peace held [2].",
    "<think>\n[2] seems best, then [1], so [2] > [1]",
    "[2",
    "Home / News / 2019 / Page 3 of 5",
    "Since 7 > 3 holds, nothing follows.",
    "The format is e.g. [2] > [1].",
    "Here is an example: [2] > [1] > [3]",
    "😊",
    "[7] > [8] > [9]",
]


@pytest.mark.parametrize(("reply", "expected"), READ)
def test_reads_what_a_careful_reader_reads(reply: str, expected: list[int]) -> None:
    """Orders of five documents, in many hands."""
    assert parse_permutation(reply, 5) == [i - 1 for i in expected]


@pytest.mark.parametrize("reply", REFUSED)
def test_refuses_what_a_careful_reader_refuses(reply: str) -> None:
    """Counts, echoes, templates, citations, cut-off ids and reasoning are no order."""
    assert parse_permutation(reply, 5) == []


@pytest.mark.parametrize(
    ("reply", "expected"),
    [("[2] > [0]", [2, 0]), ('["0", "3", "5"]', [0, 3]), ("0, 4, 1", [0, 4, 1])],
)
def test_counts_as_the_prompt_did(reply: str, expected: list[int]) -> None:
    """With a prompt that counts from 0, document 0 is the first and 5 is none of five."""
    assert parse_permutation(reply, 5, first_id=0) == expected


def test_a_complete_set_from_zero_is_shifted() -> None:
    """0, 1, 2 for three documents numbered from 1 can only be all three."""
    assert parse_permutation("[2] > [0] > [1]", 3) == [2, 0, 1]
    assert parse_permutation("[2] > [0]", 3) == [1]


def test_no_documents_no_order() -> None:
    """Nothing is read for nothing."""
    assert parse_permutation("[1] > [2]", 0) == []
