"""Several hits as one value: a tuple that a notebook, a terminal and pandas can show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, SupportsIndex, overload

if TYPE_CHECKING:
    import pandas

    from .ranking import RankedCandidate


class Hits(tuple["RankedCandidate", ...]):
    """A tuple of hits, best first. `query` is what they were ranked for, "" if unknown."""

    query: str

    def __new__(cls, hits: Iterable[RankedCandidate] = (), query: str = "") -> Self:
        """A tuple of these hits."""
        made = super().__new__(cls, hits)
        made.query = query
        return made

    @overload
    def __getitem__(self, position: SupportsIndex, /) -> RankedCandidate: ...
    @overload
    def __getitem__(self, position: slice, /) -> Hits: ...
    def __getitem__(self, position: SupportsIndex | slice, /) -> RankedCandidate | Hits:
        found = super().__getitem__(position)
        return Hits(found, self.query) if isinstance(position, slice) else found  # type: ignore[arg-type,return-value]

    def to_df(self) -> pandas.DataFrame:
        """A row for each hit, its signals as columns; see `Ranking.to_df`."""
        from .frame import to_df  # these three are below its floor, so only when looked at

        return to_df(self)

    def __repr__(self) -> str:
        from .plain import hits

        return hits(self)

    def _repr_html_(self) -> str:
        from .html import hits_html

        return hits_html(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return Hits, (tuple(self), self.query)
