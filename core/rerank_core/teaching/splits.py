"""Which queries are learned from, which say when to stop, and which nobody may have seen."""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Collection as Names
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigurationError, InvalidInputError
from ..evaluation.collection import Collection
from .settings import Settings

#: What a student's folder says of it, for programs.
RECORD = "taught.json"
#: Where the record has the marks of the queries that the student was taught on.
LEARNED = "learned"


@dataclass(frozen=True, slots=True)
class Splits:
    """Query ids, each in one place; queries of the same words are in the same."""

    train: tuple[str, ...]
    stopping: tuple[str, ...]
    held_out: tuple[str, ...]


def mark(text: str) -> str:
    """Stands for the words of a query, in any case and spacing, without showing them."""
    words = " ".join(text.casefold().split())
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def split(collection: Collection, settings: Settings, held_out: Names[str] | None = None) -> Splits:
    """Draw the three parts; `held_out` names the last of them instead.

    Raises `InvalidInputError` where a query to be held out is not there, not judged, or has the
    words of another that would be learned from; and where there are too few.
    """
    groups: dict[str, list[str]] = {}
    for query in sorted(collection.candidates):
        groups.setdefault(mark(collection.queries[query]), []).append(query)
    judged = {query for query in collection.candidates if query in collection.qrels}
    draw = random.Random(settings.seed)
    if held_out is None:
        with_judgement = [key for key, group in groups.items() if judged & set(group)]
        draw.shuffle(with_judgement)
        apart = set(with_judgement[: math.ceil(settings.held_out * len(with_judgement))])
        kept = [query for key in apart for query in groups[key] if query in judged]
    else:
        kept = _named(collection, held_out, groups)
        apart = {key for key, group in groups.items() if set(group) & set(kept)}
    rest = sorted(key for key in groups if key not in apart)
    draw.shuffle(rest)
    count = math.ceil(settings.stopping * len(rest))
    stopping = [query for key in rest[:count] for query in groups[key]]
    train = [query for key in rest[count:] for query in groups[key]]
    if len(train) < 2 or not stopping or len(kept) < 2:
        raise InvalidInputError(
            f"{len(groups)} queries, {len(judged)} of them judged, are too few: of what is left "
            f"{len(train)} to learn from, {len(stopping)} to stop by and {len(kept)} to measure on"
        )
    return Splits(tuple(train), tuple(stopping), tuple(sorted(kept)))


def _named(
    collection: Collection, held_out: Names[str], groups: Mapping[str, list[str]]
) -> list[str]:
    named = set(held_out)
    if strange := sorted(named - collection.candidates.keys()):
        raise InvalidInputError(f"no query {strange[0]!r} can be held out: there is none")
    if unjudged := sorted(named - collection.qrels.keys()):
        raise InvalidInputError(
            f"query {unjudged[0]!r} cannot be held out: without a judgement it measures nothing"
        )
    for group in groups.values():
        inside, outside = named & set(group), set(group) - named
        if inside and outside:
            raise InvalidInputError(
                f"query {min(inside)!r} is held out, and {min(outside)!r} has the same words: hold "
                "both out, or what is measured was learned by heart"
            )
    return sorted(named)


def learned_before(start: str) -> set[str]:
    """The marks of the queries that the model `start` was taught on, if it was taught here.

    Raises `ConfigurationError` where its record cannot be read.
    """
    record = Path(start) / RECORD
    if not record.is_file():
        return set()
    try:
        return set(json.loads(record.read_text(encoding="utf-8"))[LEARNED])
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{record} does not say what {start} was taught on: start from another model"
        ) from None


def refuse_what_was_learned(
    start: str, learned: Set[str], collection: Collection, splits: Splits
) -> None:
    """Raise `ConfigurationError` where `start` was itself taught on a query held out here."""
    known = [query for query in splits.held_out if mark(collection.queries[query]) in learned]
    if known:
        raise ConfigurationError(
            f"{start} was taught on {len(known)} of the {len(splits.held_out)} queries that are "
            f"held out here, {known[0]!r} among them: hold out the same as then, or start from "
            "another model"
        )
