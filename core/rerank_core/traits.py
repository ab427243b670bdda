"""What a scorer has declared about itself, and the careful default where it said nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import ScorerError
from .seams import Scorer, ScorerBase


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """See `ScorerBase`, whose attributes these are."""

    name: str
    independent: bool
    batch_size: int | None
    max_concurrency: int
    default_timeout: float | None
    ordinal: bool
    calibrated: bool
    fingerprint: str | None
    on_background_loop: bool
    max_attempts: int
    own_groups: Callable[[str, Sequence[str]], list[Sequence[int]]] | None

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


def traits_of(scorer: Scorer) -> Traits:
    """What the scorer declares.

    A scorer that declares nothing is taken to look at all texts at once: it always gets the whole
    list, and is not cached. One that is not derived from `ScorerBase` is called where the caller
    is, since its clients may be bound to that loop.
    """
    ours = isinstance(scorer, ScorerBase)
    return Traits(
        name=getattr(scorer, "name", None) or type(scorer).__name__,
        independent=bool(getattr(scorer, "independent", False)),
        batch_size=getattr(scorer, "batch_size", None),
        max_concurrency=getattr(scorer, "max_concurrency", 1),
        default_timeout=getattr(scorer, "default_timeout", None),
        ordinal=bool(getattr(scorer, "ordinal", False)),
        calibrated=bool(getattr(scorer, "calibrated", True))
        and not getattr(scorer, "ordinal", False),
        fingerprint=getattr(scorer, "fingerprint", None),
        on_background_loop=bool(getattr(scorer, "on_background_loop", ours)),
        max_attempts=getattr(scorer, "max_attempts", ScorerBase.max_attempts),
        own_groups=getattr(scorer, "groups", None),
    )
