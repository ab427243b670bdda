"""What can be had for what: settings of which none is better in every respect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .costs import Costs
from .settings import Setting


@dataclass(frozen=True, slots=True)
class Offer:
    """A setting with its quality and its price a query.

    `quality` is the mean over all queries: for a setting picked as the best of many it flatters.
    `documents` reranked; `seconds` (p50) and `cost` in US dollars were measured at full depth and
    are scaled to the setting's, or None where nothing is known.
    """

    position: int
    label: str
    quality: float
    documents: int
    seconds: float | None
    cost: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)


def offer(position: int, setting: Setting, quality: float, most: int, costs: Costs | None) -> Offer:
    """The setting's offer; `costs` are those of its system over `most` candidates."""
    if setting.system is None:
        return Offer(position, setting.label, quality, 0, 0.0, 0.0)
    share = min(setting.depth, most) / most
    seconds = None if costs is None else costs.p50 * share
    cost = None if costs is None or costs.cost is None else costs.cost / costs.queries * share
    return Offer(position, setting.label, quality, min(setting.depth, most), seconds, cost)


def front(offers: Sequence[Offer]) -> list[Offer]:
    """Those that no other beats in one respect and equals in the rest, cheapest first."""
    kept: dict[tuple[float, ...], Offer] = {}
    for one in offers:
        if not any(_beats(other, one) for other in offers):
            kept.setdefault((one.quality, *_price(one)), one)
    return sorted(kept.values(), key=lambda one: (*_price(one), one.quality))


def _beats(one: Offer, other: Offer) -> bool:
    first = (one.quality, *(-price for price in _price(one)))
    second = (other.quality, *(-price for price in _price(other)))
    return first != second and all(a >= b for a, b in zip(first, second, strict=True))


def _price(one: Offer) -> tuple[float, float, float]:
    # an unknown price of the same system grows with the documents, as those do
    unknown = float(one.documents)
    return (
        float(one.documents),
        unknown if one.seconds is None else one.seconds,
        unknown if one.cost is None else one.cost,
    )
