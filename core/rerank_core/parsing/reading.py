"""What was read, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
Ids: TypeAlias = "Reading[list[int]]"


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """`values` as the rule named `by` read them; false, and `by` empty, where no rule read any.

    The name says where the rule looked, outside first: "table", "json: entries",
    "final part: broken json: mapping".
    """

    values: T
    by: str = ""

    def __bool__(self) -> bool:
        return bool(self.by)

    def within(self, layer: str) -> Reading[T]:
        """The same, read in `layer` of the reply."""
        return Reading(self.values, f"{layer}: {self.by}") if self.by else self


#: The rule for a reply whose answer is that no document is relevant.
NONE_RELEVANT = "none relevant"
NO_IDS: Ids = Reading([])


def ids_by(ids: list[int], by: str) -> Ids:
    """An order of document numbers that a rule read; nothing where it is empty."""
    return Reading(ids, by) if ids else NO_IDS
