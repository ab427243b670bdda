"""The seams: what the reranker asks of a scorer, a judge, a chat model and a score store.

Each is a small Protocol. An object of your own that has the methods satisfies it; nothing here
needs to be inherited. What a scorer declares about itself beside its one verb is optional too:
`traits_of` fills in the careful default for whatever is left unsaid.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from .errors import ScorerError


class Scores(list[float | None]):
    """The scores of one batch, and beside them what the scorer saw before it mapped them to 0..1.

    A plain list satisfies the engine just as well; `raw` (same length, same order) ends up in
    `hit.components` under the scorer's name and `"…:raw"`. `trust` (0..1) says how far they are to
    be believed beside other signals; `Hybrid` asks for it.
    """

    def __init__(
        self,
        scores: Iterable[float | None],
        raw: Sequence[float | None] | None = None,
        trust: float = 1.0,
    ):
        super().__init__(scores)
        self.raw, self.trust = raw, trust


@runtime_checkable
class Scorer(Protocol):
    """Scores one batch of texts for a query.

    It does not sort, cache, retry, batch, watch the clock or fall back: the engine does, once,
    for every scorer. What it may declare about itself is listed in `ScorerBase`.
    """

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """One score per text, in input order; None where it could not tell."""
        ...


class ScorerBase:
    """What a scorer may declare about itself, with the defaults of our own scorers.

    Inherit it for convenience or just set the attributes you need. Other methods are optional:
    `stream` (see `StreamingScorer`), `groups(query, texts)` for batches by another rule than
    `batch_size` (positions in `texts`, each exactly once), `advise(scores, retrieval)` for a
    sentence about this ranking that its reader should know, and `with_instruction(text)` for
    another scorer like this one that has been told so, under another `fingerprint`; it raises
    `ConfigurationError` where it takes none.

    A scorer whose scale shows only in all scores of a ranking together has
    `to_unit(raw) -> scores`, by position, 0..1, None for None, and hands over `Scores` with `raw`.
    It is called once a ranking, over what is in from every batch and from the cache; what `score`
    itself said is not used then.
    """

    #: The name of its signal: in `hit.components`, in `WeightedSum` weights, in messages.
    name: str = "scorer"
    #: Whether a text's score is unaffected by the texts beside it. If not, the same texts are
    #: always sent together, and cached together.
    independent: bool = True
    #: How many texts it likes at once; None: all of them.
    batch_size: int | None = None
    #: How many batches it likes at once.
    max_concurrency: int = 1
    #: Whether, under a deadline, it is sent less at once than it likes: as much as it was seen to
    #: finish in time. For an independent scorer that may be slow and is not billed by the call.
    adaptive_batches: bool = False
    #: How often one batch is tried in all; 1 where the scorer's own client retries.
    max_attempts: int = 4
    #: The deadline of a whole ranking in seconds where the user gave none; None: no limit.
    default_timeout: float | None = None
    #: Whether scores only tell an order, so that their distances and any threshold mean nothing.
    ordinal: bool = False
    #: Whether a score means the same from one query to the next, so that a threshold on it does.
    calibrated: bool = True
    #: Names everything that a score depends on beside query and text (model, prompt version,
    #: scale, truncation). None: its scores are not cached.
    fingerprint: str | None = None
    #: False: no cache is wanted, so that its report need not say why there is none.
    worth_caching: bool = True
    #: True: `score` belongs on the library's own background loop, as its clients live there.
    #: False: it is called where the caller is (see `rerank_core.runtime.loop`).
    on_background_loop: bool = True
    #: Whether it computes on a GPU of this machine, where there is one.
    takes_gpu: bool = False

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """One score per text, in input order, 0..1; None where it could not tell."""
        raise NotImplementedError(f"{type(self).__name__}.score")

    async def warm_up(self) -> None:
        """Load what must be loaded. Called ahead of the deadline; cheap when done before."""

    async def aclose(self) -> None:
        """Let go of clients and threads."""


class Traits(NamedTuple):
    """See `ScorerBase`, whose attributes these are."""

    name: str
    independent: bool
    batch_size: int | None
    max_concurrency: int
    default_timeout: float | None
    ordinal: bool
    calibrated: bool
    fingerprint: str | None
    worth_caching: bool
    on_background_loop: bool
    max_attempts: int
    own_groups: Callable[[str, Sequence[str]], list[Sequence[int]]] | None
    to_unit: Callable[[Sequence[float | None]], Sequence[float | None]] | None = None
    adaptive_batches: bool = False

    @property
    def may_split(self) -> bool:
        """Whether a smaller batch than the one it was given is still what it asked for."""
        return self.independent or self.batch_size is not None or self.own_groups is not None

    def groups(self, query: str, texts: Sequence[str]) -> list[Sequence[int]]:
        """The batches to send: positions in `texts`, each exactly once.

        Raises `ScorerError` if the scorer's own grouping loses or doubles a text.
        """
        if self.own_groups is None:
            size = self.batch_size or max(1, len(texts))
            return [range(at, min(at + size, len(texts))) for at in range(0, len(texts), size)]
        groups = [group for group in self.own_groups(query, texts) if len(group)]
        if sorted(position for group in groups for position in group) != list(range(len(texts))):
            raise ScorerError(f"{self.name}.groups() lost or doubled a text")
        return groups


def name_of(scorer: Scorer) -> str:
    """What its signal is called: the name that it declares, else its class's."""
    return getattr(scorer, "name", None) or type(scorer).__name__


def traits_of(scorer: Scorer) -> Traits:
    """What the scorer declares.

    A scorer that declares nothing is taken to look at all texts at once: it always gets the whole
    list, and is not cached. One that is not derived from `ScorerBase` is called where the caller
    is, since its clients may be bound to that loop.
    """
    ours = isinstance(scorer, ScorerBase)
    return Traits(
        name=name_of(scorer),
        independent=bool(getattr(scorer, "independent", False)),
        batch_size=getattr(scorer, "batch_size", None),
        max_concurrency=getattr(scorer, "max_concurrency", 1),
        default_timeout=getattr(scorer, "default_timeout", None),
        ordinal=bool(getattr(scorer, "ordinal", False)),
        calibrated=bool(getattr(scorer, "calibrated", True))
        and not getattr(scorer, "ordinal", False),
        fingerprint=getattr(scorer, "fingerprint", None),
        worth_caching=bool(getattr(scorer, "worth_caching", True)),
        on_background_loop=bool(getattr(scorer, "on_background_loop", ours)),
        max_attempts=getattr(scorer, "max_attempts", ScorerBase.max_attempts),
        own_groups=getattr(scorer, "groups", None),
        to_unit=getattr(scorer, "to_unit", None),
        adaptive_batches=bool(getattr(scorer, "adaptive_batches", False))
        and bool(getattr(scorer, "independent", False)),
    )


@runtime_checkable
class StreamingScorer(Scorer, Protocol):
    """A scorer that knows something before it knows everything.

    The engine reads `stream` in place of `score`, and at the deadline keeps what it has yielded.
    """

    def stream(self, query: str, texts: Sequence[str]) -> AsyncIterator[Mapping[int, float | None]]:
        """Scores by position in `texts`, as they become known; a later one replaces an earlier."""
        ...


@runtime_checkable
class Judge(Protocol):
    """Orders one small group: what the listwise algorithms are built over."""

    async def order(self, query: str, texts: Sequence[str]) -> list[int]:
        """Positions in `texts`, best first. It may leave some out; it may not be trusted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One question to a chat model. What a later version adds to it has a default."""

    system: str
    user: str
    #: A JSON schema for the reply, followed where the server takes one.
    schema: Mapping[str, Any] | None = None
    #: The most that the answer may take.
    max_tokens: int | None = None
    #: Whether log probabilities are wanted, where the server has them.
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model answered."""

    text: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    #: By position in the reply: candidate tokens with their log probabilities, where asked for.
    logprobs: Sequence[Mapping[str, float]] = field(default=())
    #: The server stopped it before its end.
    cut_off: bool = False
    #: There are signs that the model thought before it answered.
    thought: bool = False
    #: The server refused it, since it broke the schema: it may be worth reading all the same.
    broke_schema: bool = False


@runtime_checkable
class ChatModel(Protocol):
    """One question, one answer.

    It may have an `identity`, a string that names all that its replies depend on beside the
    request: server, model, parameters. Without one its scores are not cached.
    """

    #: The model's name, as its provider says it.
    model: str

    async def complete(self, request: ChatRequest) -> Reply:
        """The reply, by what of the request the model can do.

        Raises `rerank_core.errors.ScorerError`, classified by `rerank_core.remote.http_errors`.
        """
        ...


#: What a store keeps under a key: a score, and what it was before it was mapped to 0..1, if known.
StoredScore = tuple[float, float | None]


@runtime_checkable
class ScoreStore(Protocol):
    """Keeps scores by opaque key. It may lose any of them; it must not invent one.

    Called on the library's background loop, for a fraction of a second at most: what it raises,
    or how long it takes, never harms a ranking.
    """

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, StoredScore]:
        """Those it has."""
        ...

    async def set_many(self, scores: Mapping[str, StoredScore]) -> None:
        """Keep them, for as long as the store sees fit."""
        ...

    async def aclose(self) -> None:
        """Let go of files and connections."""
        ...
