"""Hits as a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError

if TYPE_CHECKING:
    import pandas

    from .ranking import RankedCandidate


def to_df(hits: Sequence[RankedCandidate]) -> pandas.DataFrame:
    """A row for each hit; a signal that is named like another column becomes "signal:name"."""
    try:
        import pandas
    except ImportError as error:
        raise MissingExtraError("to_df()", "pandas") from error
    names = list({name: None for hit in hits for name in hit.components})
    before = ["rank", "retrieved", "movement", "score", "estimate"]
    behind = ["id", "text", "index", "metadata"]
    columns: dict[str, list[Any]] = {name: [getattr(hit, name) for hit in hits] for name in before}
    for name in names:
        column = f"signal:{name}" if name in before + behind else name
        columns[column] = [hit.components.get(name) for hit in hits]
    columns |= {name: [getattr(hit, name) for hit in hits] for name in behind}
    frame = pandas.DataFrame(columns)
    signals = [name for name in columns if name not in ("rank", "retrieved", "movement", *behind)]
    # of nothing but None pandas would make a column of objects, which adds up to nothing
    return frame.astype(dict.fromkeys(signals, "float64"))
