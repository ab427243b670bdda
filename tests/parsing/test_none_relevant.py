"""That no document is relevant is an answer; that none could be graded is not."""

from __future__ import annotations

import pytest

from rerank_core.parsing import (
    parse_permutation,
    parse_score,
    parse_scores,
    read_permutation,
    read_scores,
)

EMPTY = [
    "[]",
    "[ ]",
    '{"order": []}',
    '{"scores": []}',
    '{"scores": {}, "comment": "No document is relevant."}',
    '{"ranking": [], "reason": "All three are about tea."}',
    '{"scores": [], "explanation": "No document mentions Rome."}',
    '{"relevant_documents": []}',
    '{"results": []}',
    '{"result": {"scores": []}}',
    '[{"scores": []}]',
    '{"order": "none"}',
    '{"order": ["none"]}',
    '{"order": [], "irrelevant": [1, 2, 3]}',
    '{"best": null, "why": "None of the documents is relevant."}',
    '```json\n{"order": []}\n```',
    "```\n[]\n```",
    'Here it is:\n```json\n{"scores": []}\n```\nNone of the documents is relevant.',
    "<answer>[]</answer>",
    "<think>[2] > [1]? No.</think>[]",
    "Answer: []",
]
IN_WORDS = [
    "None of the documents is relevant.",
    "None of the documents are relevant.",
    "**None** of the passages is relevant to the query.",
    "None of these passages answers the query.",
    "None of the three documents is relevant.",
    "None of the 3 documents is relevant.",
    "None of the passages seem to be relevant.",
    "None of the documents is directly relevant to the query.",
    "None of the passages contain information about the capital of Italy.",
    "None of the documents is relevant. Document 1 is about tea, document 2 about coffee and "
    "document 3 about milk.",
    "None is relevant.",
    "None relevant.",
    "None of them.",
    "No relevant passages.",
    "No documents are relevant.",
    "No passage answers the question.",
    "No relevant documents were found.",
    "There are no relevant documents.",
    "I could not find any relevant documents.",
    "I'm unable to find any relevant passages.",
    "I'm sorry, but none of the provided documents are relevant to the query.",
    "I cannot rank these documents, as none of them is relevant to the query.",
    "The query is about Italy, but none of the documents mention it.",
    "After reviewing all passages, I conclude that no passage is relevant.",
    "Neither document is relevant.",
    "Not one of the documents is relevant.",
    "All of the documents are irrelevant.",
    "They are all irrelevant.",
    "The documents are not relevant to the query.",
    "The provided passages do not contain any relevant information.",
    "Relevant documents: none",
    "Final answer: none of the documents is relevant.",
    "<think>[2]? No.</think>None of the documents is relevant.",
    "<answer>None of the documents is relevant</answer>",
    "Keines der Dokumente ist relevant.",
    "Keine relevanten Dokumente.",
    "Aucun des documents n'est pertinent.",
    "Aucun document pertinent.",
    "Ninguno de los documentos es relevante.",
    "No hay documentos relevantes.",
    "Nessuno dei documenti è rilevante.",
    "Nenhum dos documentos é relevante.",
    "Geen van de documenten is relevant.",
    "Żaden z dokumentów nie jest istotny.",
    "Ни один из документов не релевантен.",
    "Hiçbir belge ilgili değil.",
    "没有相关文档。",
    "所有文档都不相关。",
    "関連する文書はありません。",
    "どの文書も関連していません。",
    "提供されたドキュメントはどれも関連性がありません。",
    "관련 문서가 없습니다.",
    "لا توجد مستندات ذات صلة",
    "कोई भी दस्तावेज़ प्रासंगिक नहीं है।",
]
UNREADABLE = [
    # refusals, failures, what was cut off, and what only looks like an answer
    "",
    "   ",
    "None",
    "null",
    "{}",
    "I cannot help with that.",
    "I'm sorry, I can't assist with that request.",
    "No documents were provided.",
    "It seems that no documents were given.",
    "<answer></answer>",
    "[] > []",
    '{"scores": [',
    '{"order": [',
    '{"order": null}',
    '{"scores": [], "note": "I cannot grade these."}',
    '{"error": "overloaded", "results": []}',
    '{"message": "rate limited", "items": []}',
    '{"tool_calls": []}',
    "I have no relevant documents at hand, please send them.",
    # it is not said of all, or goes on to name some
    "None of the others is relevant; [2] is.",
    "None of the documents is relevant, [2] is.",
    "None of the documents but [2] is relevant.",
    "None of the documents is relevant, except the second.",
    "None of the documents is relevant. However, the one on Rome comes close.",
    "None of the first two documents is relevant.",
    "None of the two documents is relevant.",
    "None of the documents is completely relevant.",
    "None of the documents is more relevant than the others.",
    "None of the documents is irrelevant.",
    "Not all documents are relevant.",
    "No relevant document is missing.",
    "It's not that none of them is relevant.",
    "No document is relevant but the last.",
    "No, the documents are relevant.",
    "No relevant documents other than [2].",
    '{"order": [], "why": "Document 2 is the most relevant."}',
    "Keines der anderen Dokumente ist relevant.",
    "Aucun des autres documents n'est pertinent.",
    "除了文档2，其他都不相关",
    # a condition, a question, a guess
    "If none of the documents is relevant, return an empty list.",
    "Is none of the documents relevant?",
    "It is unclear whether none of the documents is relevant.",
    "I doubt that none of the documents is relevant.",
]


@pytest.mark.parametrize("reply", [*EMPTY, *IN_WORDS])
def test_none_relevant_is_the_lowest_grade_for_all(reply: str) -> None:
    """Whatever the scale: there is an answer, and it scores every document."""
    assert parse_scores(reply, 3, (0, 10)) == [0.0, 0.0, 0.0]
    assert parse_scores(reply, 3, (1, 5)) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("reply", [*EMPTY, *IN_WORDS])
def test_none_relevant_is_an_order_that_names_none(reply: str) -> None:
    """No document is put before another, and the reading says that this was read."""
    assert parse_permutation(reply, 3) == []
    assert read_permutation(reply, 3).by == "none relevant"


@pytest.mark.parametrize("reply", UNREADABLE)
def test_what_is_said_of_some_or_of_none_is_no_such_answer(reply: str) -> None:
    """A refusal, an exception, a condition: nothing is known of all the documents."""
    assert not read_scores(reply, 3, (0, 10))
    assert read_permutation(reply, 3).by != "none relevant"


@pytest.mark.parametrize("reply", ["None is relevant.", "No relevant passages."])
def test_one_document_may_be_spoken_of_as_none(reply: str) -> None:
    """A prompt with a single document gets such a reply too."""
    assert parse_score(reply, (0, 10)) == 0.0
    assert parse_scores(reply, 1, (0, 10)) == [0.0]


def test_scores_beside_it_count_first() -> None:
    """Who grades after all has graded."""
    reply = "None of the documents is relevant.\nDoc 1: 1\nDoc 2: 0\nDoc 3: 2"

    assert parse_scores(reply, 3, (0, 10)) == [0.1, 0.0, 0.2]
    assert parse_permutation("None is relevant, but if I must: [2] > [1] > [3]", 3) == [1, 0, 2]
