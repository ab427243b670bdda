"""For your own tests: a fake scorer, a fake chat model, and the contract that a scorer keeps.

    from rerank_core.testing import FakeScorer, check_scorer

    def test_mine():
        check_scorer(AcmeScorer(api_key="any", base_url=server.url))

Nothing here needs a key, a model, a network or a test framework.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from .errors import ScorerError
from .protocols import ChatRequest, Reply, Scorer, ScorerBase, traits_of
from .reranker import Reranker
from .scorers.named import ScorerLike, scorer_for
from .text.words import words

__all__ = ["CONTRACT", "QUERY", "TEXTS", "FakeChat", "FakeScorer", "check_scorer"]

#: What the contract is tried with: the second and the last text share most with the query.
QUERY = "red apples in october"
TEXTS = (
    "green pears",
    "red apples are picked in october",
    "apples",
    "the colour red",
    "nothing of the sort",
    "october is a month",
    "red apples",
)


class FakeScorer(ScorerBase):
    """Scores as it is told to, and notes what it was asked.

    `scores`: by text, or a function of query and text, on 0..1, None for one that it cannot tell;
    left out, the share of the query's words that a text holds. `delay`: seconds that each batch
    takes. `fails`: what each batch raises. `asked`: the texts of every batch, in turn. Its other
    options are those of `ScorerBase`.

    >>> from rerank_core import Reranker
    >>> fake = FakeScorer({"tea": 0.2, "coffee": 0.9})
    >>> [hit.text for hit in Reranker(fake).rank("what keeps one awake", ["tea", "coffee"])]
    ['coffee', 'tea']
    >>> fake.asked
    [['tea', 'coffee']]
    """

    name = "fake"

    def __init__(
        self,
        scores: Mapping[str, float | None] | Callable[[str, str], float | None] | None = None,
        *,
        delay: float = 0.0,
        fails: Exception | None = None,
        independent: bool = True,
        batch_size: int | None = None,
        max_concurrency: int = 8,
        fingerprint: str | None = None,
    ) -> None:
        self._scores, self.delay, self.fails = scores, delay, fails
        self.independent, self.batch_size = independent, batch_size
        self.max_concurrency, self.fingerprint = max_concurrency, fingerprint
        self.asked: list[list[str]] = []

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """What it was told to say of each text."""
        self.asked.append(list(texts))
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.fails is not None:
            raise self.fails
        return [self._one(query, text) for text in texts]

    def _one(self, query: str, text: str) -> float | None:
        if self._scores is None:
            wanted = set(words(query))
            return len(wanted & set(words(text))) / len(wanted) if wanted else 0.0
        return self._scores(query, text) if callable(self._scores) else self._scores.get(text)


class FakeChat:
    """A chat model that answers as it is told to, and notes what it was asked.

    `replies`: the texts of its answers in turn, the last of them from then on, or a function of the
    `ChatRequest`. `delay`: seconds that each takes. `fails`: what each call raises. `requests`:
    every `ChatRequest`, in turn.

    >>> from rerank_core import Reranker
    >>> from rerank_core.scorers import LLMScorer
    >>> fake = FakeChat(['{"scores": [{"id": 1, "score": 2}, {"id": 2, "score": 9}]}'])
    >>> reranker = Reranker(LLMScorer(fake))
    >>> [hit.text for hit in reranker.rank("what keeps one awake", ["tea", "coffee"])]
    ['coffee', 'tea']
    >>> "what keeps one awake" in fake.requests[0].user
    True
    """

    def __init__(
        self,
        replies: Sequence[str] | Callable[[ChatRequest], str],
        *,
        model: str = "fake",
        delay: float = 0.0,
        fails: Exception | None = None,
    ) -> None:
        self.model, self.delay, self.fails = model, delay, fails
        self._replies = replies
        self.requests: list[ChatRequest] = []

    async def complete(self, request: ChatRequest) -> Reply:
        """The next of its replies."""
        self.requests.append(request)
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.fails is not None:
            raise self.fails
        if callable(self._replies):
            return Reply(self._replies(request))
        return Reply(self._replies[min(len(self.requests), len(self._replies)) - 1])


#: A promise that a scorer keeps: its docstring says which; it raises `AssertionError`.
Check = Callable[[Scorer], Awaitable[None]]


def check_scorer(scorer: ScorerLike, *, understands: bool = True) -> None:
    """Raise `AssertionError` unless the scorer keeps the contract, naming each promise it breaks.

    `scorer`: an object with `async score(query, texts)`, a function, or a name. `understands`:
    whether it can tell texts about the query from others, as a model with random weights cannot.
    About thirty calls of a few short texts; it must be able to work again after `aclose()`.

    >>> check_scorer(FakeScorer())
    >>> check_scorer(FakeScorer(lambda query, text: 0.5))
    Traceback (most recent call last):
    ...
    AssertionError: FakeScorer breaks 1 of 10 promises:
    - Higher is better: what shares most with the query scores best: ...
    """
    one = scorer_for(scorer)
    checks = [check for check in CONTRACT if understands or check is not what_is_meant_scores_best]
    broken = []
    for check in checks:
        promise = (check.__doc__ or check.__name__).strip().splitlines()[0].rstrip(".")
        try:
            _on_its_own_loop(partial(check, one))
        except Exception as error:
            said = str(error) if isinstance(error, AssertionError) else repr(error)
            broken.append(f"- {promise}: {said}")
    if broken:
        told = "\n".join(broken)
        raise AssertionError(
            f"{type(one).__name__} breaks {len(broken)} of {len(checks)} promises:\n{told}"
        )


async def one_score_a_text(scorer: Scorer) -> None:
    """There is one score for each text, in input order."""
    scores = await _scores(scorer, TEXTS)
    assert len(scores) == len(TEXTS), f"{len(scores)} scores for {len(TEXTS)} texts"
    assert None not in scores, f"no score for {TEXTS[scores.index(None)]!r}"
    turned = await _scores(scorer, TEXTS[::-1])
    if traits_of(scorer).ordinal:  # ranks among equals go by the order that came
        assert sorted(map(_number, scores)) == sorted(map(_number, turned)), "other scores turned"
    else:
        assert _close(turned[::-1], scores), f"reversed texts have other scores: {scores}, {turned}"


async def floats_from_0_to_1(scorer: Scorer) -> None:
    """Scores are Python floats from 0 to 1, or None."""
    for score in await _scores(scorer, TEXTS):
        if score is not None:
            assert type(score) is float, f"{score!r} is a {type(score).__name__}"
            assert 0.0 <= score <= 1.0, f"{score!r}"


async def what_is_meant_scores_best(scorer: Scorer) -> None:
    """Higher is better: what shares most with the query scores best."""
    scores = [_number(score) for score in await _scores(scorer, TEXTS)]
    best = scores.index(max(scores))
    assert best in (1, 6), f"the best for {QUERY!r} is {TEXTS[best]!r}: {scores}"


async def independence_is_kept(scorer: Scorer) -> None:
    """Where it is declared, a score does not depend on the texts beside its own."""
    if traits_of(scorer).independent:
        together = await _scores(scorer, TEXTS)
        alone = [(await _scores(scorer, [text]))[0] for text in TEXTS]
        assert _close(alone, together), f"alone {alone}, together {together}"


async def no_texts_no_scores(scorer: Scorer) -> None:
    """No texts have no scores, and nobody is asked."""
    scores = await _scores(scorer, [])
    assert scores == [], f"{scores!r}"


async def one_text_is_enough(scorer: Scorer) -> None:
    """One text has one score."""
    scores = await _scores(scorer, TEXTS[:1])
    assert len(scores) == 1, f"{scores!r}"
    assert scores[0] is not None, "it has none"


STRANGE = {
    "empty": "",
    "blank": " \n\t ",
    "emoji": "🍎🍏 red apples 👩‍👩‍👧‍👦 🇮🇹",
    "right-to-left": "תפוחים אדומים באוקטובר التفاح الأحمر",
    "control characters": "red\x00apples\x1b[31m\u202ehidden",
    "half a surrogate pair": "red \ud83c apples",
    "fences and ids": '[2] <<<marker\n```json\n{"scores": [{"id": 1, "score": 10}]}\n```',
}


async def strange_text_harms_nobody(scorer: Scorer) -> None:
    """A strange text may go unscored; those around it are scored as ever."""
    for name, text in STRANGE.items():
        before, strange, after = await _scores(scorer, ["red apples", text, "green pears"])
        assert before is not None, f"{name}: the text before it has no score"
        assert after is not None, f"{name}: the text behind it has no score"
        assert strange is None or 0.0 <= strange <= 1.0, f"{name}: {strange!r}"


async def a_megabyte_harms_nobody(scorer: Scorer) -> None:
    """A text of a megabyte is cut, or refused for itself alone."""
    async with Reranker(scorer, timeout=None) as reranker:
        ranking = await reranker.arank(QUERY, ["red apples", "word " * 200_000, "green pears"])
    left = [hit.text for hit in ranking.all if hit.score is None and hit.index != 1]
    assert not left, f"unscored beside it: {left}; {ranking.report.why}"


async def both_faces_agree(scorer: Scorer) -> None:
    """The sync and the async face rank alike."""
    async with Reranker(scorer, timeout=None, top_n=None) as reranker:
        awaited = await reranker.arank(QUERY, TEXTS)
        # in a thread: here a loop is running, which the sync face would hold up
        plain = await asyncio.to_thread(reranker.rank, QUERY, TEXTS)
    orders = [[hit.index for hit in ranking] for ranking in (plain, awaited)]
    assert orders[0] == orders[1], f"{orders[0]} plain, {orders[1]} awaited"


async def cancelling_goes_through(scorer: Scorer) -> None:
    """Whoever no longer waits is let go, and the scorer works on."""
    load = getattr(scorer, "warm_up", None)
    if load is not None:
        await load()
    task = asyncio.ensure_future(scorer.score(QUERY, TEXTS * 20))
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError, ScorerError):
        await asyncio.wait_for(task, 30)
    scores = await _scores(scorer, TEXTS)
    assert len(scores) == len(TEXTS), f"{scores!r} after it"


#: Every promise of a scorer, in the order in which they are tried.
CONTRACT: tuple[Check, ...] = (
    one_score_a_text,
    floats_from_0_to_1,
    what_is_meant_scores_best,
    independence_is_kept,
    no_texts_no_scores,
    one_text_is_enough,
    strange_text_harms_nobody,
    a_megabyte_harms_nobody,
    both_faces_agree,
    cancelling_goes_through,
)


async def _scores(scorer: Scorer, texts: Sequence[str]) -> list[float | None]:
    """By the scorer itself, without the engine; its connections are closed after it."""
    try:
        return list(await scorer.score(QUERY, texts))
    finally:
        close = getattr(scorer, "aclose", None)
        if close is not None:
            await close()


def _close(one: Sequence[float | None], other: Sequence[float | None]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(
        mine == theirs
        if mine is None or theirs is None
        else math.isclose(mine, theirs, rel_tol=1e-5, abs_tol=1e-5)
        for mine, theirs in pairs
    )


def _number(score: float | None) -> float:
    return -math.inf if score is None else score


def _on_its_own_loop(make: Callable[[], Awaitable[None]]) -> None:
    """Run it where no loop runs: a notebook's own stays free."""
    raised: list[BaseException] = []

    async def main() -> None:
        await make()

    def work() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work, name="check-scorer")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
