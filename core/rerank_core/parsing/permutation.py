"""Documents in order, best first."""

from __future__ import annotations

import re

from .chains import chain
from .fold import fold
from .ids import as_id, first_id_used, is_id_key
from .labels import is_left_out_key, is_order_key, is_score_key, names_best
from .layers import answer, answer_part, final_part, plain
from .lists import listed
from .none_relevant import ends_in_empty_answer, is_empty_answer, says_none_relevant
from .prose import told
from .reading import NO_IDS, NONE_RELEVANT, Ids, Reading, ids_by
from .scale import Scale
from .scan import Text
from .scores import Reader
from .structure import JSON, plain_number, repaired, strict_blocks, whole_json
from .tables import columns, tables
from .verdict import Grades
from .words import GRADES

_GRADES = Grades({grade: float(len(GRADES) - at) for at, grade in enumerate(GRADES)})
_RANK = re.compile(
    r"(?:(?:rank|place|position)[ _-]?(\d{1,4})|(\d{1,4})(?:st|nd|rd|th))\Z", re.IGNORECASE
)
_ANY_SCORE, _ANY_GRADE = Scale((0, 1e6)), Scale((0, len(GRADES)))


def parse_permutation(reply: str, count: int, first_id: int = 1) -> list[int]:
    """The positions (from 0) of the documents that `reply` names, best first; [] if none.

    An empty order stands for an answer too, "none is relevant": `read_permutation` tells the two
    apart, by the name of the rule. The prompt numbered its `count` documents from `first_id`. The
    first mention of a document wins, numbers outside the prompt are dropped, and what the reply
    leaves out is left out. A part that calls itself final stands for the whole. Never raises,
    whatever the reply.
    """
    return read_permutation(reply, count, first_id).values


def read_permutation(reply: str, count: int, first_id: int = 1) -> Reading[list[int]]:
    """What `parse_permutation` gives, with the rule that read it."""
    if count <= 0:
        return NO_IDS
    reader = _Reader(count, first_id)
    if (value := whole_json(reply)) is not None:
        if ids := reader.from_json(value):
            return reader.positions(ids).within("json")
        if is_empty_answer(value, count, first_id):
            return Reading([], NONE_RELEVANT)
    text = answer(reply)
    part = answer_part(text)
    if ends_in_empty_answer(part, count, first_id):
        return Reading([], NONE_RELEVANT)
    final = final_part(part)
    if final is not None and (found := reader.positions(reader.part(final))):
        return found.within("final part")
    for candidate in (part,) if part is text else (part, text):
        if found := reader.positions(reader.part(candidate)):
            return found
    if found := reader.by_grade(text):
        return found
    if not isinstance(value, dict | list) and says_none_relevant(part, count, first_id):
        return Reading([], NONE_RELEVANT)
    return NO_IDS


class _Reader:
    """Readings of one reply, as document numbers in order; the first that has any is taken."""

    def __init__(self, count: int, first_id: int) -> None:
        self.count, self.first_id = count, first_id
        self._plain: dict[str, Text] = {}

    def plain(self, text: str) -> Text:
        """`text` without markup, made once."""
        if text not in self._plain:
            self._plain[text] = plain(text)
        return self._plain[text]

    def positions(self, ids: Ids) -> Ids:
        """Positions in the prompt, each where it first stands; nothing where none is in it."""
        first = first_id_used(ids.values, self.count, self.first_id)
        ours = (i - first for i in ids.values if 0 <= i - first < self.count)
        return ids_by(list(dict.fromkeys(ours)), ids.by)

    def part(self, text: str) -> Ids:
        """The document numbers in a part of the reply, by the first rule that finds any."""
        blocks = [value for block in strict_blocks(text)[0] for value in _joined(block)]
        structured = [value for value in blocks if isinstance(value, dict) or _of_dicts(value)]
        for value in reversed(structured):
            if ids := self.from_json(value):
                return ids.within("json")
        clean = self.plain(text)
        if ids := chain(clean, self.count):
            return ids
        lists = [self.from_json(value) for value in reversed(blocks)]
        longest = max(lists, key=lambda ids: len(ids.values), default=NO_IDS)
        if len(longest.values) > 1:
            return longest.within("json")
        if "{" in text or text.lstrip()[:1] == "[":
            value = repaired(text, keep_tail=False)
            if isinstance(value, dict | list) and len((ids := self.from_json(value)).values) > 1:
                return ids.within("broken json")
        ids = self._table(clean) or listed(clean, self.count)
        if ids and ids.values == sorted(ids.values):
            # the order of the input: what each line says may tell another
            graded = self.by_grade(text)
            named = [position + self.first_id for position in graded.values]
            return Reading(named, graded.by) if set(named) >= set(ids.values) else ids
        return ids or told(clean, self.count)

    def by_grade(self, text: str) -> Ids:
        """The order that scores or grades tell, where a reply gives those instead."""
        if self.count < 2:
            return NO_IDS
        clean = self.plain(text)
        readings: list[tuple[Scale, Grades | None]] = [(_ANY_SCORE, None)]
        if _GRADES.first(clean) is not None:
            readings.append((_ANY_GRADE, _GRADES))
        for on, words in readings:
            reading = Reader(on, self.count, self.first_id, words).text(clean)
            if len(scores := reading.values) > 1:
                order = sorted(scores, key=lambda i: -scores[i])  # equals as they are named
                return Reading(order, reading.by).within("by grade" if words else "by score")
        return NO_IDS

    def from_json(self, value: JSON, depth: int = 5) -> Ids:
        """The document numbers in a JSON value."""
        if isinstance(value, str):
            text = plain(fold(value))
            return chain(text, self.count) or listed(text, self.count)
        if (name := as_id(value)) is not None:
            return Reading([name], "one")
        if isinstance(value, dict):
            return self._from_dict(value, depth)
        if isinstance(value, list) and value:
            return self._from_list(value)
        return NO_IDS

    def _from_dict(self, found: dict[str, JSON], depth: int) -> Ids:
        if ids := ids_by(_by_rank(found), "rank keys"):
            return ids
        for key in sorted(found, key=lambda key: not is_order_key(key)):
            value = found[key]
            if is_left_out_key(key):
                continue
            if isinstance(value, list) and depth and not is_score_key(key):
                if ids := self._from_list(value):
                    return ids
            elif isinstance(value, dict) and depth:
                if ids := self._ranked(value, key) or self._from_dict(value, depth - 1):
                    return ids
            elif (
                isinstance(value, str)
                and (is_order_key(key) or is_id_key(key) or names_best(key))
                and (ids := self.from_json(value) or _one(value))
            ) or (names_best(key) and (ids := _one(value))):
                return ids
        return self._ranked(found, "")

    def _ranked(self, found: dict[str, JSON], key: str) -> Ids:
        """`{"1": "[3]", "2": "[1]"}`: ranks to documents; `{"3": 9, "1": 4}`: scores or ranks."""
        pairs = [(name, value) for k, value in found.items() if (name := as_id(k)) is not None]
        if len(pairs) < 2 or len(pairs) < len(found):
            return NO_IDS
        if all(isinstance(value, str) and as_id(value) is not None for _, value in pairs):
            ids = [name for _, value in sorted(pairs) if (name := as_id(value)) is not None]
            return Reading(ids, "ranks to documents")
        values = [(plain_number(value), name) for name, value in pairs]
        if any(value is None for value, _ in values):
            return NO_IDS
        numbers = [(value, name) for value, name in values if value is not None]
        low = key.lower()
        ranks = "rank" in low or "position" in low or "order" in low
        numbers.sort(key=lambda pair: pair[0] if ranks else -pair[0])
        return Reading([name for _, name in numbers], "mapping")

    def _from_list(self, items: list[JSON]) -> Ids:
        if any(isinstance(item, dict) for item in items):
            return self._from_entries([item for item in items if isinstance(item, dict)])
        return ids_by([name for item in items if (name := as_id(item)) is not None], "ids")

    def _from_entries(self, entries: list[dict[str, JSON]]) -> Ids:
        found: list[tuple[int, float | None, float | None]] = []
        for entry in entries:
            names = [as_id(value) for key, value in entry.items() if is_id_key(key)]
            name = next((name for name in names if name is not None), None)
            if name is None:
                continue
            rank = next((plain_number(v) for k, v in entry.items() if _is_rank(k)), None)
            score = next((plain_number(v) for k, v in entry.items() if is_score_key(k)), None)
            found.append((name, rank, score))
        if all(rank is not None for _, rank, _ in found):
            found.sort(key=lambda item: item[1] or 0.0)
        elif all(score is not None for _, _, score in found):
            found.sort(key=lambda item: -(item[2] or 0.0))
        return ids_by([name for name, _, _ in found], "entries")

    def _table(self, text: str) -> Ids:
        for rows in tables(text):
            body, id_column, score_column, rank_column = columns(rows)
            entries: list[dict[str, JSON]] = []
            for cells in body:
                entry: dict[str, JSON] = {}
                for key, column in (
                    ("id", id_column),
                    ("rank", rank_column),
                    ("score", score_column),
                ):
                    if column is not None and 0 <= column < len(cells):
                        number = as_id(cells[column])
                        if number is not None:
                            entry[key] = number
                entries.append(entry)
            if len(ids := self._from_entries(entries).values) > 1:
                return Reading(ids, "table")
        return NO_IDS


def _by_rank(found: dict[str, JSON]) -> list[int]:
    """`{"1st": 3, "2nd": 1}`, `{"rank_1": "Passage 3"}`: keys that can only be ranks."""
    ranks = [_RANK.match(key) for key in found]
    pairs = [(int(m[1] or m[2]), as_id(v)) for m, v in zip(ranks, found.values(), strict=True) if m]
    if len(pairs) < len(found):
        return []
    return [name for _, name in sorted(pairs, key=lambda pair: pair[0]) if name is not None]


def _joined(block: list[JSON]) -> list[JSON]:
    """JSON lines as one list, where they are objects."""
    if len(block) > 1 and all(isinstance(value, dict) for value in block):
        return [block]
    return block


def _of_dicts(value: JSON) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _is_rank(key: str) -> bool:
    return key.lower().strip() in ("rank", "position", "order", "place", "ranking")


def _one(value: JSON) -> Ids:
    name = as_id(value)
    return NO_IDS if name is None else Reading([name], "best alone")
