"""A cause found: what was seen, why it matters, what to change."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Cause(StrEnum):
    """Why reranking may not help; those that explain others come first."""

    UNREADABLE = "unreadable_replies"  # replies came, and no score could be read from them
    UNANSWERED = "timeouts_and_fallbacks"  # the scorer did not answer, or not in time
    IDLE = "reranks_nothing"  # its options say so: a depth of 0, no weight but the retriever's
    EMPTY_TEXT = "empty_text"  # the scorer is shown texts that say nothing
    QUERY = "wrong_query"  # what it is asked is no query: a conversation, an instruction
    IDS = "ids_not_unique"  # several documents have one id
    NO_CHOICE = "nothing_to_choose_from"  # top_n is all there is, or a framework brought 2 or 4
    LATER_STAGE = "later_stage"  # what comes after the reranker sorts again, or cuts
    SCALE = "scale_mismatch"  # one signal of the sum is on a scale that drowns the others
    WRONG_WAY = "wrong_way"  # lower is better, and it is taken for higher
    UNRELATED = "unrelated_scores"  # they are another document's, or nothing to do with any
    TRUNCATION = "truncation"  # the scorer does not see what tells the documents apart
    TIED = "tied_scores"  # the scores are all alike where it matters
    DEFAULTS = "default_scores"  # one score in between for whatever could not be read
    NEIGHBOURS = "batch_normalisation"  # a score depends on the batch that it came in
    UNSTABLE = "not_deterministic"  # the same list comes out otherwise the next time
    LENGTH = "length_bias"  # longer documents, or shorter ones, score higher
    ECHO = "echoes_the_retriever"  # the scorer says what the retriever has said
    POSITION = "position_bias"  # a score depends on where in the list its document stood
    RECALL = "recall_ceiling"  # what is relevant is not among the candidates
    NO_ROOM = "nothing_to_gain"  # the retriever has the best order already
    UNJUDGED = "unjudged_documents"  # what it brings up was never judged, and counts as irrelevant
    PHANTOM = "phantom_hits"  # the deeper it reranks, the more false hits it brings up
    DUPLICATES = "near_duplicates"  # the same text several times in the top
    WEIGHTS = "weights"  # the scorer counts for more, or less, than it is worth
    OWN_JUDGEMENTS = "own_judgements"  # the judgements are the reranker's own scores
    TOO_FEW = "too_few_judgements"  # nobody can tell from so few judged queries


class Severity(StrEnum):
    """What a cause does."""

    BROKEN = "broken"  # reranking does not happen as asked
    HARMS = "harms"  # it happens, and is worse for this
    LIMITS = "limits"  # it can help no further
    UNCLEAR = "unclear"  # it cannot be told whether it helps


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause, each part a sentence or two; `seen` has the numbers."""

    cause: Cause
    severity: Severity
    seen: str
    why: str
    change: str

    def __str__(self) -> str:
        return f"{self.cause}: {self.seen}. {self.why}. {self.change}."

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {name: str(value) for name, value in asdict(self).items()}
