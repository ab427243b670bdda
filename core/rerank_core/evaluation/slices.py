"""The same evaluation by kinds of query: where a reranker helps, and where it harms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ..errors import InvalidInputError
from .collection import Collection
from .compare import Comparison, compare
from .evaluation import Evaluation

#: More slices than this are none: the field names queries rather than kinds.
MOST = 50
#: What queries without the field are under.
WITHOUT = "(none)"


@dataclass(frozen=True, slots=True)
class Slice:
    """The judged queries with one value of the field.

    `means`: the measure that decides by system, the base first; `against`: each system against the
    base. The p of these is corrected for systems, not for slices: among many slices one is
    significant by chance.
    """

    value: str
    queries: int
    means: Mapping[str, float]
    against: Mapping[str, Comparison]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {
            "value": self.value,
            "queries": self.queries,
            "means": dict(self.means),
            "against_base": {name: one.to_dict() for name, one in self.against.items()},
        }


def check_field(collection: Collection, field: str) -> None:
    """Raise `InvalidInputError` unless some judged query has the field; nothing is asked for it."""
    known = {query: collection.fields.get(query, {}) for query in collection.qrels}
    if any(_values(fields.get(field)) != [WITHOUT] for fields in known.values()):
        return
    there = sorted({name for fields in known.values() for name in fields})
    raise InvalidInputError(
        f"no judged query has a field {field!r}; "
        + (f"there are {', '.join(there)}" if there else "their lines have no fields at all")
    )


def slices(found: Evaluation, field: str) -> list[Slice]:
    """By the values of this field of the queries, those with most queries first.

    A query whose value is a list is in several. Raises `InvalidInputError` where no query has the
    field, or nearly every query a value of its own.
    """
    check_field(found.collection, field)
    known = found.collection.fields
    by_value: dict[str, list[str]] = {}
    for query in found.base.by_query[found.measures[0]]:
        for value in _values(known.get(query, {}).get(field)):
            by_value.setdefault(value, []).append(query)
    if len(by_value) > MOST:
        raise InvalidInputError(
            f"{field!r} has {len(by_value)} values, which is too many to compare by: name a field "
            "that has few"
        )
    ordered = sorted(by_value.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [_slice(found, value, queries) for value, queries in ordered]


def _slice(found: Evaluation, value: str, queries: Sequence[str]) -> Slice:
    measure = found.measures[0]
    values = {
        result.name: {query: result.by_query[measure][query] for query in queries}
        for result in found.results
    }
    base, *others = values
    compared = compare(values[base], [values[name] for name in others])
    return Slice(
        value,
        len(queries),
        {name: fmean(of.values()) for name, of in values.items()},
        dict(zip(others, compared, strict=True)),
    )


def _values(value: Any) -> list[str]:
    if value is None or value == [] or value == "":
        return [WITHOUT]
    if isinstance(value, list | tuple):
        return list(dict.fromkeys(str(one) for one in value))
    return [str(value)]
