"""Every option of a `Reranker`, in one place: its default, its check and what it is for.

A new option is one field of `Options` and one line of `RerankerOptions`; a test holds the two
together. Signatures, presets, config files and the read-only attributes of a reranker follow.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, cast, get_args

from .combine.combination import Combination
from .engine.selection import Duplicates
from .errors import ConfigurationError, InvalidInputError, UnknownOptionError
from .protocols import ScoreStore, traits_of
from .ranking.ranking import Ranking
from .ranking.retrieval import RetrievalScore
from .runtime.checks import one_of, real_number, whole_number
from .runtime.deadline import UNSET, Timeout, Unset, seconds
from .scorers.named import Recipe, ScorerLike, recipe
from .stores import score_store

#: What the world's failures become.
OnError = Literal["degrade", "raise"]

_F = TypeVar("_F", bound=Callable[..., Any])


def _option(default: Any, check: Callable[[str, Any], Any], about: str) -> Any:
    """A field: `check(name, value)` returns what is kept, or raises `ConfigurationError`."""
    return field(default=default, metadata={"check": check, "about": " ".join(about.split())})


def _timeout(name: str, value: Any) -> float | Unset | None:
    return UNSET if value is UNSET else seconds(name, value)


def _combination(name: str, value: Any) -> Combination | None:
    if value is not None and not isinstance(value, Combination):
        raise ConfigurationError(
            f"{name} is a WeightedSum({{…}}) or a ReciprocalRankFusion() from "
            f"rerank_core.combine, or None, not {value!r}"
        )
    return value


def _scorers(name: str, value: Any) -> Mapping[str, Any] | None:
    try:
        return None if value is None else recipe(value).scorers
    except ConfigurationError as error:
        if type(error) is not ConfigurationError:  # a missing key says what it needs
            raise
        raise ConfigurationError(f"{name}: {error}") from None


def _function(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise ConfigurationError(f"{name} is a function of a Ranking, or None, not {value!r}")
    return value


def _on_error(name: str, value: Any) -> Any:
    one_of(name, value, get_args(OnError))
    return value


def _instruction(name: str, value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise ConfigurationError(
            f"{name} is a sentence that says what counts as relevant, or None, not {value!r}"
        )
    return value


def _retrieval_score(name: str, value: Any) -> Any:
    one_of(name, value, (*get_args(RetrievalScore), None))
    return value


def _duplicates(name: str, value: Any) -> Any:
    one_of(name, value, get_args(Duplicates))
    return value


def _max_per(name: str, value: Any) -> tuple[str, int] | None:
    if value is None:
        return None
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise ConfigurationError(
            f'{name} is a field of the metadata and a number, such as ("parent_id", 2), or None '
            f"for no limit, not {value!r}"
        )
    key, most = value
    if not isinstance(key, str) or not key:
        raise ConfigurationError(f"{name} names a field of the metadata first, not {key!r}")
    if most is None:
        raise ConfigurationError(f"{name} is {value!r}: give a number, or None for no limit")
    return key, cast("int", whole_number(name, most, least=1, none="no limit"))


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} is True or False, not {value!r}")
    return value


_rate = partial(real_number, above=0, none="no limit")


@dataclass(frozen=True, kw_only=True, eq=False)
class Options:
    """The options of a `Reranker`, checked.

    Numbers become Python's own, times seconds, `cache` the store and `fallback` the scorers (by
    name) that they stand for: so one may be made of another's values. Raises `ConfigurationError`,
    naming the option, for what could never work.
    """

    top_n: int | None = _option(
        10, partial(whole_number, least=1, none="all"), "how many to return; None for all."
    )
    timeout: Timeout | Unset = _option(
        UNSET,
        _timeout,
        """the deadline of a whole call, in seconds or as a timedelta, None for none; left out,
        the scorer's own default (5 s for LLMs and APIs, none for local models).""",
    )
    combine: Combination | None = _option(
        None,
        _combination,
        """`WeightedSum` or `ReciprocalRankFusion` over the scorers and "retrieval"; needed with
        several scorers.""",
    )
    instruction: str | None = _option(
        None,
        _instruction,
        """what counts as relevant, in a sentence, for every scorer that takes one: in an LLM's
        prompt, as the prompt of a local model that follows instructions, in the query or the field
        where a service documents it. An error where no scorer takes one; a fallback that takes none
        goes without. None for the scorers' own.""",
    )
    fallback: ScorerLike = _option(
        None, _scorers, "scorers to ask in turn, until one scores, where the first could not."
    )
    cache: str | os.PathLike[str] | ScoreStore | None = _option(
        None,
        lambda name, value: score_store(value),
        """where scores are kept so that nothing is asked twice: "memory", a path ending in
        .sqlite or .db, a "redis://…" URL (see `RedisStore` for clusters and Sentinel) or a client
        of redis-py, or a `ScoreStore`; None for nowhere.""",
    )
    on_error: OnError = _option(
        "degrade",
        _on_error,
        """"degrade" answers with what there is and says so in the report; "raise" raises
        `DegradedError`.""",
    )
    max_concurrency: int | None = _option(
        None,
        partial(whole_number, least=1, none="what each scorer likes"),
        """batches under way at once over all simultaneous calls; None for what each scorer
        likes.""",
    )
    on_ranking: Callable[[Ranking], object] | None = _option(
        None,
        _function,
        """called with every `Ranking`, for those who use it through a framework that throws
        rankings away.""",
    )
    depth: int | None = _option(
        None,
        partial(whole_number, least=0, none="all"),
        """only so many candidates, the best retrieved, are reranked; the others stay beneath them
        as they were; None for all, 0 for none.""",
    )
    retrieval_score: RetrievalScore | None = _option(
        None,
        _retrieval_score,
        """what the scores are that candidates arrive with: "similarity", higher is better;
        "distance", lower is better; "none", neither they nor positions say anything; None to see:
        three or more that ascend from the first to the last are distances, and the report says
        so.""",
    )
    duplicates: Duplicates = _option(
        "keep",
        _duplicates,
        """"drop": of candidates with nearly the same words only the best retrieved is scored and
        returned; the others stay in `ranking.all`, behind, marked with what they repeat.""",
    )
    max_per: tuple[str, int] | None = _option(
        None,
        _max_per,
        """("parent_id", 2): of those with one value in that field of their metadata at most so
        many, the best, are returned; the others stay in `ranking.all`, behind and marked. None for
        no limit, and none for those without the field.""",
    )
    threshold: float | None = _option(
        None,
        partial(real_number, none="any"),
        """only hits with at least this score are returned (`ranking.all` still holds every one),
        so that "no relevant document" is an answer; skipped, and said so, on a degraded ranking;
        None for any.""",
    )
    shadow: float | None = _option(
        None,
        partial(real_number, least=0, most=1, none="no shadow mode"),
        """the retriever's order is returned, and this share (0..1) of the calls is scored beside
        it for `on_ranking` alone.""",
    )
    hedge_after: Timeout = _option(
        None,
        seconds,
        """so long after the start, in seconds or as a timedelta, a second try is made of the
        slowest batches, once their peers are in; None for never.""",
    )
    requests_per_minute: float | None = _option(
        None, _rate, "requests that each scorer is kept to; None for no limit."
    )
    tokens_per_minute: float | None = _option(
        None, _rate, "tokens, estimated, that each scorer is kept to; None for no limit."
    )
    check: bool = _option(
        False,
        _flag,
        """True: the scorers are checked while it is made, at most 20 calls each, and what is wrong
        with them is logged with the fix; see the method `check`, which does it at any time.""",
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            kept = each.metadata["check"](each.name, getattr(self, each.name))
            object.__setattr__(self, each.name, kept)


class RerankerOptions(TypedDict, total=False):
    """`Options` as keyword arguments: `**options: Unpack[RerankerOptions]`."""

    top_n: int | None
    timeout: Timeout | Unset
    combine: Combination | None
    instruction: str | None
    fallback: ScorerLike
    cache: str | os.PathLike[str] | ScoreStore | None
    on_error: OnError
    max_concurrency: int | None
    on_ranking: Callable[[Ranking], object] | None
    depth: int | None
    retrieval_score: RetrievalScore | None
    duplicates: Duplicates
    max_per: tuple[str, int] | None
    threshold: float | None
    shadow: float | None
    hedge_after: Timeout
    requests_per_minute: float | None
    tokens_per_minute: float | None
    check: bool


class RerankerChanges(RerankerOptions, total=False):
    """What `Reranker.replace` and `from_config` take: the options, and the scorer."""

    scorer: ScorerLike


_FIELDS = {each.name: each for each in fields(Options)}
#: Their names, in order, and what else may be changed.
NAMES = tuple(_FIELDS)
CHANGES = ("scorer", *NAMES)


def for_call(name: str, value: Any, called: str | None = None) -> Any:
    """The option's value for one call; errors name it as `called`. Raises `InvalidInputError`."""
    try:
        return _FIELDS[name].metadata["check"](called or name, value)
    except ConfigurationError as error:
        raise InvalidInputError(str(error)) from None


def changed(options: Options) -> dict[str, Any]:
    """Those that are not the default."""
    values = {name: getattr(options, name) for name in NAMES}
    return {name: value for name, value in values.items() if value != _FIELDS[name].default}


def refuse_unknown(given: Collection[str], known: Collection[str] = NAMES) -> None:
    """Raise `UnknownOptionError` for a name that there is not, with the nearest that there is."""
    for name in given:
        if name not in known:
            raise UnknownOptionError(_unknown(name, sorted(known)))


def _unknown(name: str, known: list[str]) -> str:
    import difflib  # for this sentence only

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    near = near or (["top_n"] if name in ("k", "top_k", "n", "limit") else [])
    hint = f": did you mean {near[0]}?" if near else "."
    return f"unknown option {name!r}{hint} Options: {', '.join(known)}"


def parameters() -> list[inspect.Parameter]:
    """The options as keyword parameters, with their defaults."""
    return [
        inspect.Parameter(
            each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=each.type
        )
        for each in _FIELDS.values()
    ]


def spelled_out(function: _F) -> _F:
    """Show a function's `**options: Unpack[RerankerOptions]` by name in its signature."""
    return _with(function, parameters())


def spelled_out_changes(function: _F) -> _F:
    """Show `**changes: Unpack[RerankerChanges]` by name: what is left out stays as it is."""
    scorer = inspect.Parameter("scorer", inspect.Parameter.KEYWORD_ONLY, annotation="ScorerLike")
    return _with(function, [one.replace(default=UNSET) for one in (scorer, *parameters())])


def _with(function: _F, named: list[inspect.Parameter]) -> _F:
    written = inspect.signature(function)
    own = [one for one in written.parameters.values() if one.kind is not one.VAR_KEYWORD]
    function.__signature__ = written.replace(parameters=[*own, *named])  # type: ignore[attr-defined]
    return function


if TYPE_CHECKING:
    # to a type checker the options of what holds them are the fields themselves, frozen
    Held = Options
else:

    class Held:
        """What holds `Options` in `_options`, and shows each as an attribute of its own."""

        def __setattr__(self, name: str, value: object) -> None:
            if name == "on_ranking":  # who is told changes nothing of what is told
                self._options = replace(self._options, on_ranking=value)
            elif name in NAMES or isinstance(getattr(type(self), name, None), property):
                wanted = name.removesuffix("s") if name == "scorers" else name
                raise AttributeError(
                    f"{name} is read-only: reranker.replace({wanted}=…) gives another reranker"
                )
            else:
                super().__setattr__(name, value)

    def _shown(name: str) -> property:
        return property(
            lambda held: getattr(held._options, name), doc=_FIELDS[name].metadata["about"]
        )

    for _name in NAMES:
        setattr(Held, _name, _shown(_name))  # `check` gives way to the method of that name


def described(docstring: str | None) -> str | None:
    """The docstring, and the options below it, a paragraph each."""
    if docstring is None:  # as `python -OO` has it
        return None
    return "\n".join([inspect.cleandoc(docstring), "", *_paragraphs(), ""])


@cache
def _paragraphs() -> list[str]:
    import textwrap

    return [
        textwrap.fill(f"`{name}`: {each.metadata['about']}", 96, subsequent_indent="    ")
        for name, each in _FIELDS.items()
    ]


def check_threshold(last: Recipe, combine: Combination | None) -> None:
    """Raise `ConfigurationError` where the last stage's scores would make a threshold noise."""
    if last.unless is not None:
        raise ConfigurationError(
            "threshold= needs the last stage's scores of every query: leave out its unless="
        )
    for name, traits in ((name, traits_of(one)) for name, one in last.scorers.items()):
        if not traits.calibrated:
            raise ConfigurationError(_no_threshold(last.name or name, traits.ordinal))
    if combine is not None and not combine.calibrated:
        raise ConfigurationError(
            "threshold= needs scores that mean the same for every query: combine them by a "
            'WeightedSum with normalize="none" or "sigmoid"'
        )


def _no_threshold(name: str, ordinal: bool) -> str:
    why = "a listwise order has no grades" if ordinal else f"{name}'s do not"
    return (
        f"threshold= needs scores that mean the same for every query; {why}. An LLM's grades "
        '(strategy="batch" or "pointwise"), a cross-encoder\'s, an embedding\'s and a rerank '
        "service's do"
    )
