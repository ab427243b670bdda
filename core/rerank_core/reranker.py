"""The reranker: what a user holds. It checks what is asked, and hands it to the flow."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Self, Unpack, cast

from . import config
from .combine.combination import Combination
from .engine.assembly import assemble
from .engine.pipeline import Pipeline
from .engine.rate_limit import RateLimit
from .engine.selection import Selection
from .engine.shadow import Shadows
from .errors import ConfigurationError
from .options import (
    CHANGES,
    Held,
    Options,
    RerankerChanges,
    RerankerOptions,
    check_threshold,
    described,
    for_call,
    refuse_unknown,
    spelled_out,
    spelled_out_changes,
)
from .protocols import Scorer, ScoreStore, name_of
from .ranking.candidate import RETRIEVAL, Document
from .ranking.cut import cut
from .ranking.given import Given, given
from .ranking.ranking import DegradedError, Ranking, as_retrieved
from .ranking.report import Report
from .runtime import loop
from .runtime.deadline import UNSET, Deadline, Timeout, Unset, seconds
from .scorers.instructions import instruct, instruct_where_taken
from .scorers.named import Recipe, ScorerLike, stages
from .telemetry.log import DEGRADED, log
from .telemetry.tracing import ranking_span

if TYPE_CHECKING:
    from .self_check import CheckReport

#: What a config file says by the name it was given by, and not by what that stands for.
_NAMED = ("scorer", "fallback", "cache")


class Reranker(Held):
    """Puts candidates into the best order it can honestly give, within its deadline.

    `scorer` is a name ("hybrid", "bm25", "llm:gpt-4o-mini", "cross-encoder:…"), an object with
    `async score(query, texts)`, a function `(query, texts) -> scores`, or several of these in a
    dict by name (then `combine` says how). None is "hybrid": BM25 over the candidates and the
    retriever's own score, half and half; BM25 alone over a list without scores. A `Cascade`, or its
    name ("hybrid > onnx@50"), asks one scorer after the other, each over the best so far.

    All options are keywords, checked now and read-only from then on; `replace` gives another
    reranker with other ones. They are listed in `help(Reranker)` and in `Options`.

    May be shared by threads and event loops. Raises `ConfigurationError` (or `MissingExtraError`,
    `MissingKeyError`) here for what could never work.

    >>> with Reranker("bm25", top_n=1) as reranker:
    ...     ranking = reranker.rank("capital of Italy", ["Paris", "Rome, capital of Italy", "Oslo"])
    >>> ranking[0].text, ranking[0].index, len(ranking.all)
    ('Rome, capital of Italy', 1, 3)
    """

    @spelled_out
    def __init__(self, scorer: ScorerLike = None, **options: Unpack[RerankerOptions]) -> None:
        refuse_unknown(options)
        self._named: dict[str, Any] = dict.fromkeys(_NAMED)
        self._cache_is_ours = False
        self._take_on(stages(scorer), Options(**options), {"scorer": scorer, **options})

    def _take_on(self, asked: Sequence[Recipe], options: Options, named: Mapping[str, Any]) -> None:
        """Become what is asked for. `named`: what of it is new, as it was given."""
        self._asked, self._options = tuple(asked), options
        if named.keys() & {"scorer", "fallback", "instruction"}:  # else they are as they were
            self._instructed = instruct(self._asked, options.instruction)
            fallback = cast("Mapping[str, Scorer]", options.fallback or {})
            self._fallback = instruct_where_taken(fallback, options.instruction)
        if len(asked) > 1 and options.combine is not None:
            raise ConfigurationError(
                "combine= is for one stage, and a cascade has several: Stage(scorer, combine=…)"
            )
        there = [RETRIEVAL]
        for stage in self.stages:
            there += stage.scorers
            if stage.combine is not None:
                stage.combine.check(there)
            elif len(stage.scorers) > 1:
                raise ConfigurationError(
                    f"{len(stage.scorers)} scorers need combine=: WeightedSum({{…}}) or "
                    "ReciprocalRankFusion() from rerank_core.combine"
                )
        if self.threshold is not None:
            check_threshold(self.stages[-1], self.combine)
        # as they were asked for, less a password in a URL: what a config file can say of them
        self._named |= {name: named[name] for name in _NAMED if name in named}
        if "cache" in named:
            self._cache_is_ours = self.cache is not named["cache"]
            self._named["cache"] = getattr(self.cache, "url", named["cache"])
        self._named = config.as_asked(self._named)
        self._pipeline = self._build()
        self._shadows = Shadows()
        if named.keys() & {"scorer", "instruction", "check"}:
            self._checked_as: CheckReport | None = None
            if options.check:
                self.check()

    # -- what an option stands for, where that is more than it says ----------------------------

    @property
    def stages(self) -> tuple[Recipe, ...]:
        """What is asked one after the other: one of them, but for a `Cascade`."""
        if self._options.combine is None:
            return self._instructed
        return tuple(one._replace(combine=self.combine) for one in self._instructed)

    @property
    def scorers(self) -> Mapping[str, Scorer]:
        """By the names of their signals, those of all stages."""
        return {
            name: scorer for stage in self._instructed for name, scorer in stage.scorers.items()
        }

    @property
    def name(self) -> str:
        """What does the scoring, for a trace: "hybrid", or the scorers by their models' names; of a
        cascade, stage after stage: "hybrid > gpt-4o-mini".
        """
        return " > ".join(
            stage.name or ", ".join(map(_name, stage.scorers.values()))
            for stage in self._instructed
        )

    @property
    def combine(self) -> Combination | None:
        """How the last stage's scores are combined, as asked or as "hybrid" does; None for one
        alone.
        """
        return self._options.combine or self._asked[-1].combine

    @property
    def fallback(self) -> Mapping[str, Scorer]:
        """The scorers to ask in turn, by the names of their signals."""
        return self._fallback

    @property
    def cache(self) -> ScoreStore | None:
        """The store that scores are kept in."""
        return cast("ScoreStore | None", self._options.cache)

    @spelled_out_changes
    def replace(self, **changes: Unpack[RerankerChanges]) -> Self:
        """Another reranker like this one but for the changes; this one stays as it is.

        Both work with the same scorers and the same store, so that neither is loaded or opened
        twice; limits (`max_concurrency`, requests and tokens a minute) each counts for itself.
        Close each as if it were alone: what they share is let go of with the last that is in use.

        Raises `ConfigurationError` as the constructor does.

        >>> Reranker("bm25", top_n=3).replace(top_n=None).top_n is None
        True
        """
        refuse_unknown(changes, CHANGES)
        given: dict[str, Any] = dict(changes)
        made = copy(self)
        made._named = dict(self._named)
        asked = stages(given["scorer"]) if "scorer" in given else self._asked
        others = {name: value for name, value in given.items() if name != "scorer"}
        made._take_on(asked, dataclasses.replace(self._options, **others), given)
        return made

    @classmethod
    @spelled_out_changes
    def from_config(
        cls, path: str | os.PathLike[str] | Mapping[str, Any], **given: Unpack[RerankerChanges]
    ) -> Self:
        """The reranker in a file (TOML, .json, .yaml) that `to_config` or `rerank tune` wrote, or
        in its table. What is given takes the file's place: `scorer=` where no name stands for it.

        Keys come from the environment. Raises `ConfigurationError`, naming what is wrong.
        """
        refuse_unknown(given, CHANGES)
        table = config.load(path)
        made = cls(**config.options(table, **given))
        made._named |= {name: table[name] for name in _NAMED if name in table.keys() - given}
        return made

    def to_config(self, path: str | os.PathLike[str]) -> None:
        """Write it as such a file. Raises `ConfigurationError` for what no file can hold."""
        config.save(path, config.table(self._named, self._options))

    def _build(self) -> Pipeline:
        return assemble(
            self.stages,
            self.fallback,
            self.cache,
            close_store=self._cache_is_ours,
            depth=self.depth,
            max_concurrency=self.max_concurrency,
            requests_per_minute=self.requests_per_minute,
            tokens_per_minute=self.tokens_per_minute,
            hedge_after=seconds("hedge_after", self.hedge_after),
        )

    # -- the two faces -------------------------------------------------------------------------

    def rank(
        self,
        query: str,
        documents: Iterable[Document],
        *,
        top_n: int | Unset | None = UNSET,
        timeout: Timeout | Unset = UNSET,
    ) -> Ranking:
        """Rank the documents for the query: strings, dicts with "text", or Candidates.

        They may be a list, or whatever has them one after the other: it is read once. Works in a
        script, in a notebook and inside a running event loop (which it blocks: there,
        `await arank(...)`). Every document is in `ranking.all` once; none is changed.

        Raises `InvalidInputError` for an empty query, a document without text, a `top_n` or
        `timeout` that cannot be met; a `ScorerError` if the key or the model is refused and
        nothing has ever succeeded; `DegradedError` only with `on_error="raise"`.
        """
        return self._told(loop.run(self._rank(*self._checked(query, documents, top_n, timeout))))

    async def arank(
        self,
        query: str,
        documents: Iterable[Document],
        *,
        top_n: int | Unset | None = UNSET,
        timeout: Timeout | Unset = UNSET,
    ) -> Ranking:
        """Same, awaited."""
        checked = self._checked(query, documents, top_n, timeout)
        return self._told(await loop.arun(self._rank(*checked)))

    def warm_up(self) -> None:
        """Load models and open connections now, so that the first call need not.

        With the option `check` it logs in a line what the check found.
        """
        loop.run(self._pipeline.warm_up())
        self._log_check()

    async def awarm_up(self) -> None:
        """Same, awaited."""
        await loop.arun(self._pipeline.warm_up())
        self._log_check()

    def check(self) -> CheckReport:  # type: ignore[override]  # the option is asked for by its name
        """Whether the scorers are rerankers at all: what is wrong with them, and the fix.

        Each is asked at most 20 times for a short list of built-in English texts: passages with
        their own questions, the same list again and in another order, long, empty-ish and noisy
        texts. It takes no judgements and finds what shows without any: a wrong sign, scores that
        are constant, saturated, random (an encoder for a reranker, a missing template), on a wrong
        scale, at the wrong documents, unlike from call to call. No cache is asked, and nobody who
        counts rankings hears of it. Raises nothing for what the world does: a scorer that does not
        answer is a finding.

        >>> print(Reranker(lambda query, texts: [0.5] * len(texts)).check().findings[0].fault)
        constant
        """
        return loop.run(self._check())

    async def acheck(self) -> CheckReport:
        """Same, awaited."""
        return await loop.arun(self._check())

    def close(self) -> None:
        """Let go of clients and threads. A later call opens them again."""
        loop.run(self._aclose())

    async def aclose(self) -> None:
        """Same, awaited."""
        await loop.arun(self._aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        scorers = ", ".join(f"{name}={scorer!r}" for name, scorer in self.scorers.items())
        return f"Reranker({scorers}, top_n={self.top_n})"

    def __getstate__(self) -> dict[str, Any]:
        # engines hold limits of this process's loop, and tasks are its own; both begin anew
        return {k: v for k, v in self.__dict__.items() if k not in ("_pipeline", "_shadows")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._pipeline = self._build()
        self._shadows = Shadows()

    # -- the flow ------------------------------------------------------------------------------
    def _checked(
        self,
        query: str,
        documents: Iterable[Document],
        top_n: int | Unset | None,
        timeout: Timeout | Unset,
    ) -> tuple[Given, int | None, Deadline]:
        limit = (
            self.effective_timeout if isinstance(timeout, Unset) else for_call("timeout", timeout)
        )
        many = self.top_n if isinstance(top_n, Unset) else for_call("top_n", top_n)
        # from here on it runs: what must load, and the way to the loop, count too
        deadline = Deadline.after(limit)
        return given(query, documents, self.retrieval_score), many, deadline

    @property
    def effective_timeout(self) -> float | None:
        """The deadline of a call that states none, in seconds: `timeout`, else the longest that a
        scorer asks for; None for no limit.
        """
        if not isinstance(self.timeout, Unset):
            return seconds("timeout", self.timeout)
        wishes = [getattr(scorer, "default_timeout", None) for scorer in self.scorers.values()]
        return max((wish for wish in wishes if wish is not None), default=None)

    async def _rank(self, asked: Given, top_n: int | None, deadline: Deadline) -> Ranking:
        if self.shadow is None:
            return await self._scored(asked, top_n, deadline)
        self._shadows.sample(self.shadow, lambda: self._unseen(asked, top_n, deadline), self._tell)
        report = Report(notes=("shadow mode: this is the retriever's order", *asked.notes))
        return cut(asked, as_retrieved(asked.retrieval, keep_scores=True), top_n, report)

    async def _check(self) -> CheckReport:
        limit = RateLimit(self.requests_per_minute, self.tokens_per_minute)
        from .self_check.asking import check_scorers  # most programs never ask for it

        self._checked_as = await check_scorers(self.scorers, limit)
        return self._checked_as

    def _log_check(self) -> None:
        if self._options.check and self._checked_as is not None:
            log.info("%s", self._checked_as.summary)

    async def _aclose(self) -> None:
        await self._shadows.finished()
        await self._pipeline.aclose()

    async def _unseen(self, *asked: Any) -> Ranking:
        return dataclasses.replace(await self._scored(*asked), shadow=True)

    async def _scored(self, asked: Given, top_n: int | None, deadline: Deadline) -> Ranking:
        selection = Selection(duplicates=self.duplicates, max_per=self.max_per)
        with ranking_span(self.name, list(self.scorers), asked, top_n) as span:
            placed, report = await selection.run(self._pipeline.run, asked, deadline)
            last = self._asked[-1].scorers  # what lies beneath it, it has not judged
            ranking = cut(asked, placed, top_n, report, threshold=self.threshold, judged_by=last)
            span.finish(ranking)
        return ranking

    def _told(self, ranking: Ranking) -> Ranking:
        """Tell whoever wants to know of this ranking; raise if it was asked for."""
        report = ranking.report
        if report.degraded:
            log.warning(DEGRADED, ", ".join(report.reasons), report.why)
        if self.shadow is None:
            self._tell(ranking)
        if report.degraded and self.on_error == "raise":
            raise DegradedError(report.why, ranking)
        return ranking

    def _tell(self, ranking: Ranking) -> None:
        if self.on_ranking is not None:
            try:
                self.on_ranking(ranking)
            except Exception:
                log.exception("on_ranking raised; the ranking is unharmed")


def _name(scorer: Scorer) -> str:
    return str(getattr(scorer, "model", None) or name_of(scorer))


Reranker.__doc__ = described(Reranker.__doc__)
