"""Pairs of query and document, graded by a language model, within a hard cap and for good."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ...chat import chat_model
from ...engine.rate_limit import RateLimit
from ...errors import ConfigurationError, MissingKeyError, Reason, ScorerError
from ...protocols import ChatModel, ChatRequest, Reply
from ...runtime import loop, retries
from ...runtime.usage import metered
from ..collection import Collection
from ..run import Run
from .judgements import Judgements, by_pair, checked_ids
from .ledger import UNREADABLE, Ledger, answer_key
from .pool import POOL, Pair, pooled
from .purse import Price, Progress, Purse
from .rubric import FORMS, MAX_CHARS, Form, read

#: How often a question is tried in all, and how long an answer is waited for, in seconds.
MAX_ATTEMPTS, PATIENCE = 4, 120.0
#: After so many failures in a row, and no answer between them, a judge stops.
IN_A_ROW = 20
#: What may have been billed though no answer came.
_MAY_COST = frozenset({Reason.TIMEOUT, Reason.CONNECTION})


def judge(
    collection: Collection,
    llm: Any = None,
    *,
    model: str | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    runs: Sequence[Run] = (),
    pool: int = POOL,
    passes: int = 2,
    max_cost: float | None = None,
    price: Price | None = None,
    journal: Path | str | None = None,
    at_once: int = 8,
    requests_per_minute: float | None = None,
    tokens_per_minute: float | None = None,
    progress: Progress | None = None,
) -> Judgements:
    """Have a language model grade the first `pool` documents of the base and of all `runs`, 0 to 3.

    `llm` or `model`: what `LLMScorer` takes: a name, a LangChain chat model, a LlamaIndex LLM, a
    `ChatModel`. It is asked by UMBRELA's rubric, with `passes=2` a second time in other words and
    order; of two grades that differ it is the lower middle.

    `journal`: the file of all answers. What is in it is not asked again, after whatever end of the
    process, nor for another collection with the same texts. `max_cost`: US dollars that all
    questions to this model in the journal may take together; no question goes out that could
    exceed it. `price`: dollars a million tokens (prompt, reply), where none is known.

    Raises `ConfigurationError` before any question where a price is known and `max_cost` is not
    given: the message has the estimate; `InvalidInputError` for pairs that cannot be judged; a
    `ScorerError` for a key or model that is refused. What else fails leaves pairs unjudged, and
    `stopped` says why.
    """
    if not 1 <= passes <= len(FORMS):
        raise ConfigurationError(f"passes is 1 or {len(FORMS)}, not {passes}")
    if at_once < 1:
        raise ConfigurationError(f"at_once is at least 1 question under way, not {at_once}")
    pairs = pooled(collection, runs, pool)
    checked_ids(pairs)
    named = {"base_url": base_url, "api_key": api_key}
    chat, no_key = _chat_to_ask(llm, model, named, needed=max_cost is not None)
    ledger = Ledger(journal)
    try:
        purse = Purse(chat, price, max_cost, ledger.spent(chat.model))
        asker = _Asker(
            chat, ledger, purse, at_once, RateLimit(requests_per_minute, tokens_per_minute)
        )
        todo = asker.todo(pairs, passes)
        if todo and max_cost is None and purse.known:
            about = purse.estimate(form.request(pair.asked, pair.text) for form, pair in todo)
            if about:
                raise ConfigurationError(
                    f"{len(todo)} questions to {chat.model} cost about ${about:.2f}: say how much "
                    "they may cost at most: max_cost="
                )
        if todo and no_key is not None:
            raise no_key
        kept, lost = len({pair.key for pair in pairs}) * passes - len(todo), ledger.lost
        stopped = loop.run(asker.run(todo, kept, progress)) if todo else None
        grades = {
            pair.key: [
                found
                for form in FORMS[:passes]
                if (found := ledger.answers.get(asker.key(form, pair))) is not None
            ]
            for pair in pairs
        }
        judged, unjudged = by_pair(pairs, grades, ledger, passes)
        return Judgements(
            collection,
            judged,
            chat.model,
            passes,
            cost=None if chat.model in ledger.unpriced else purse.spent,
            calls=asker.calls,
            kept=kept,
            unjudged=unjudged,
            stopped=stopped,
            truncated=sum(len(pair.text) > MAX_CHARS for pair in pairs),
            lost=lost,
        )
    finally:
        ledger.close()


def _chat_to_ask(
    llm: Any, model: str | None, named: Mapping[str, Any], *, needed: bool
) -> tuple[ChatModel, MissingKeyError | None]:
    """The judge; without a key one that is asked nothing, as the estimate takes none."""
    try:
        return chat_model(_chat_of(llm), model=model, **named), None
    except MissingKeyError as error:
        if needed:
            raise
        return chat_model(_chat_of(llm), model=model, **{**named, "api_key": "none"}), error


class _Asker:
    """Asks what the ledger has no answer to."""

    def __init__(
        self, chat: ChatModel, ledger: Ledger, purse: Purse, at_once: int, limit: RateLimit
    ) -> None:
        self.chat, self.ledger, self.purse = chat, ledger, purse
        self._at_once, self._limit = at_once, limit
        # without a name of its own a model is known by what its provider calls it
        self._identity = getattr(chat, "identity", None) or chat.model
        self._attempts = 1 if getattr(chat, "retries_itself", True) else MAX_ATTEMPTS
        self.calls = 0
        self._in_a_row = 0
        self._ever = False
        self._failures: Counter[str] = Counter()

    def key(self, form: Form, pair: Pair) -> str:
        """What the answer is known by."""
        return answer_key(self._identity, form.name, pair)

    def todo(self, pairs: Sequence[Pair], passes: int) -> list[tuple[Form, Pair]]:
        """What is not answered yet, each once, pair by pair: a stopped judge has whole pairs."""
        wanted = {self.key(form, pair): (form, pair) for pair in pairs for form in FORMS[:passes]}
        known = self.ledger.answers.keys() | self.ledger.unreadable
        return [asked for key, asked in wanted.items() if key not in known]

    async def run(
        self, todo: Sequence[tuple[Form, Pair]], kept: int, progress: Progress | None
    ) -> str | None:
        """Ask all of it; why some were not answered, or None."""
        await retries.warm_up()
        if (load := getattr(self.chat, "warm_up", None)) is not None:
            await load()
        policy = retries.Policy(self._at_once, self._attempts, admit=self._limit.admit)
        left, done = iter(todo), kept
        why: list[str] = []

        async def worker() -> None:
            nonlocal done
            for form, pair in left:
                if why:
                    return
                try:
                    await policy.call(partial(self._once, form, pair), pair.asked, [pair.text])
                except ScorerError as error:
                    if stop := self._failed(error):
                        why.append(stop)
                    continue
                done += 1
                if progress is not None:
                    spent = self.purse.spent if self.purse.known else None
                    progress(done, kept + len(todo), spent)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._at_once, len(todo))):
                    group.create_task(worker())
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        finally:
            if (close := getattr(self.chat, "aclose", None)) is not None:
                await close()
        if why:
            return why[0]
        if self._failures:
            failed, count = self._failures.most_common(1)[0]
            return f"{sum(self._failures.values())} questions failed, {count} of them: {failed}"
        return None

    def _failed(self, error: ScorerError) -> str | None:
        """Why to stop altogether, if it is one to stop for."""
        if error.reason is Reason.BUDGET:
            return str(error)
        self._in_a_row += 1
        self._failures[str(error)] += 1
        hopeless = error.fatal or error.reason in (Reason.AUTH, Reason.MODEL, Reason.PAYMENT)
        if hopeless and not self._ever:
            raise error
        if hopeless or self._in_a_row >= IN_A_ROW:
            return f"{self._in_a_row} questions failed one after the other: {error}"
        return None

    async def _once(self, form: Form, pair: Pair) -> None:
        key, request = self.key(form, pair), form.request(pair.asked, pair.text)
        most = self.purse.most(request)
        await self.purse.reserve(most)
        self.ledger.ask(key, self.chat.model, most)
        self.calls += 1
        # until it is back it may have been paid, whatever ends it
        cost: float | None = most
        failed, grade = "it was ended while it was under way", None
        try:
            reply, recorded = await self._reply(request)
            cost = self.purse.of(reply, request, recorded)
            grade, failed = read(reply), f"{UNREADABLE}: {reply.text!r:.120}"
        except ScorerError as error:
            cost, failed = most if error.reason in _MAY_COST else 0.0, str(error)
            raise
        finally:
            if grade is None:
                self.ledger.failed(key, cost, failed)
            else:
                self.ledger.answer(key, pair, form.name, grade, cost)
            await self.purse.settle(most, cost or 0.0)
        if grade is None:
            if reply.text.strip():  # the same question would get the same reply
                self.ledger.unreadable.add(key)
            raise ScorerError(
                f"no grade could be read from the reply of {self.chat.model}: {reply.text!r:.120}",
                reason=Reason.UNPARSEABLE,
                retryable=not reply.text.strip(),
            )
        self._in_a_row, self._ever = 0, True

    async def _reply(self, request: ChatRequest) -> tuple[Reply, float | None]:
        """The reply, and what it was recorded to cost."""
        with metered() as meter:
            try:
                async with asyncio.timeout(PATIENCE):
                    reply = await self.chat.complete(request)
            except TimeoutError:
                raise ScorerError(
                    f"{self.chat.model} did not answer within {PATIENCE:g} s",
                    reason=Reason.TIMEOUT,
                    retryable=True,
                ) from None
        return reply, meter.usage.cost


def _chat_of(llm: Any) -> Any:
    """What is asked: a name with or without its prefix, or the model within a scorer of ours."""
    if isinstance(llm, str):
        return llm.removeprefix("llm:")
    scorers = getattr(llm, "scorers", None)
    if isinstance(scorers, Mapping) and len(scorers) == 1:
        (llm,) = scorers.values()
    return getattr(llm, "chat", llm)
