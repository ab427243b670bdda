"""Several documents, one score each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .cut_off import ends_in_score, without_growing_tail
from .fold import fold
from .ids import as_id, first_id_used, is_id_key
from .labels import is_left_out_key, is_score_key
from .layers import answer, answer_part, final_part, plain
from .none_relevant import ends_in_empty_answer, is_empty_answer, says_none_relevant
from .plain_lines import alike, numbered, row
from .reading import NONE_RELEVANT, Reading
from .records import records
from .scale import Scale
from .scan import Value, tokens
from .score import leading_score, read_score
from .structure import JSON, plain_number, repaired, strict_blocks, whole_json
from .tables import columns, tables
from .verdict import Grades, grades
from .words import kind

_CUT_OFF = re.compile(r"[\"']\s{0,9}:\s{0,9}[\d.]{1,20}\s{0,9}\Z")  # JSON, within a number
_NUMBERED = re.compile(r"(?m)^\W{0,4}(\d{1,4})[.:)\]-]{1,2}(?=\s)(.{1,40})")
Pairs = list[tuple[int, float | None]]
Scores = dict[int, float]
_NOTHING: Reading[Scores] = Reading({})


def parse_scores(
    reply: str,
    count: int,
    scale: tuple[float, float],
    first_id: int = 1,
    *,
    words: Mapping[str, float] | None = None,
) -> list[float | None]:
    """The score of each of `count` documents, mapped from `scale` to 0..1; None where not given.

    The prompt numbered its documents from `first_id`. Other numbers are dropped, and where most
    are not the prompt's, and less than half of the prompt's are there, the reply is refused: it
    speaks of something else, such as the prompt's example. Of two scores for a document the first
    counts, unless a later part calls itself final or revised, or is a later block of JSON. "None
    of the documents is relevant" and an empty list are answers: 0.0 for all. `words` are grades
    that the prompt asked for, with their values on `scale`. Raises ValueError for a scale that is
    none, never for a reply.
    """
    return read_scores(reply, count, scale, first_id, words=words).values


def read_scores(
    reply: str,
    count: int,
    scale: tuple[float, float],
    first_id: int = 1,
    *,
    words: Mapping[str, float] | None = None,
    cut_off: bool = False,
) -> Reading[list[float | None]]:
    """What `parse_scores` gives, with the rule that read it.

    With `cut_off` the server stopped the reply before its end: a number at its very end that
    could have gone on, 1 to 10, is none.
    """
    on = Scale(scale)
    reply = without_growing_tail(reply, on) if cut_off else reply
    reader = Reader(on, count, first_id, grades(words))
    found = reader.read(reply) if count > 0 else _NOTHING
    if not found and count == 1 and (one := read_score(reply, scale, words=words)):
        return Reading([one.values], f"one document: {one.by}")
    if not found and count > 0 and reader.none_relevant:
        return Reading([0.0] * count, NONE_RELEVANT)
    return Reading([found.values.get(position) for position in range(count)], found.by)


class Reader:
    """One reply's reading: what the prompt asked for, and the ways to read an answer to it."""

    def __init__(self, on: Scale, count: int, first_id: int, words: Grades | None) -> None:
        self.on, self.count, self.first_id, self.words = on, count, first_id, words
        self._json_alone: JSON | None = None
        self._said = ""

    def read(self, reply: str) -> Reading[Scores]:
        """The scores by position."""
        value = whole_json(reply)
        if value is not None and ((found := self._json([value])) or isinstance(value, dict | list)):
            self._json_alone = value
            return found
        text = answer(reply)
        self._said = part = answer_part(text)
        found = self._part(part)
        if not found and part is not text:
            found = self._part(text)
        return found

    @property
    def none_relevant(self) -> bool:
        """Whether the reply that was read, and gave no scores, says that none is relevant."""
        if self._json_alone is not None:
            return is_empty_answer(self._json_alone, self.count, self.first_id)
        return any(
            says(self._said, self.count, self.first_id)
            for says in (ends_in_empty_answer, says_none_relevant)
        )

    def _part(self, text: str) -> Reading[Scores]:
        found = self._once(text)
        if (final := final_part(text)) is not None and (last := self._once(final)):
            found = Reading({**found.values, **last.values}, last.by).within("final part")
        return found

    def _once(self, text: str) -> Reading[Scores]:
        found = _NOTHING
        blocks, broken = strict_blocks(text)
        for block in blocks:
            if later := self._json(block, whole=False):
                found = Reading({**found.values, **later.values}, later.by)
        if broken or (not found and ("{" in text or text.lstrip()[:1] == "[")):
            value = repaired(text, keep_tail=ends_in_score(text, self.on))
            if isinstance(value, dict | list):
                mended = self._json([value], whole=False)
                if len(mended.values) > len(found.values):
                    found = mended.within("broken")
        if not found and _CUT_OFF.search(text[-60:]):
            text = without_growing_tail(text, self.on)
        return found or self.text(plain(text))

    # JSON -------------------------------------------------------------------------------------

    def _json(self, block: list[JSON], *, whole: bool = True) -> Reading[Scores]:
        value = block[0] if len(block) == 1 else block
        if isinstance(value, str):
            return self.text(plain(fold(value))).within("json")
        if not whole and isinstance(value, list) and len(value) < 2 and not _holds(value, dict):
            return _NOTHING  # a bracketed number in prose
        return self._from(value, 5).within("json")

    def _from(self, value: JSON, depth: int) -> Reading[Scores]:
        if isinstance(value, dict):
            return self._from_dict(value, depth)
        if isinstance(value, list) and value:
            return self._from_list(value, depth)
        return _NOTHING

    def _from_dict(self, found: dict[str, JSON], depth: int) -> Reading[Scores]:
        if (pairs := self._entry(found)) and (scores := self._placed(pairs, "entry")):
            return scores
        pairs = [
            (name, self._leaf(value))
            for key, value in found.items()
            if (name := as_id(key)) is not None
        ]
        if scores := self._placed(pairs, "mapping"):
            return scores
        if depth:
            inner = sorted(found.items(), key=lambda item: not is_score_key(item[0]))
            for key, value in inner:
                if is_left_out_key(key):
                    continue
                if isinstance(value, dict | list) and (scores := self._from(value, depth - 1)):
                    return scores
                if isinstance(value, str) and (scores := self.text(plain(fold(value)))):
                    return scores
        return _NOTHING

    def _from_list(self, items: list[JSON], depth: int) -> Reading[Scores]:
        if _holds(items, dict):
            pairs: Pairs = []
            for item in items:
                if isinstance(item, dict):
                    pairs += self._entry(item) or [
                        (name, self._leaf(value))
                        for key, value in item.items()
                        if (name := as_id(key)) is not None
                    ]
            if scores := self._placed(pairs, "entries", sure=True):
                return scores
            if any(score is not None for _, score in pairs):
                return _NOTHING  # what is nobody's together is not read one by one
            if not pairs and len(items) == self.count and self.count > 1:
                return self._positional([self._leaf(item) for item in items], "entries in order")
        elif _holds(items, list):
            pairs = [
                (name, self._leaf(item[1]))
                for item in items
                if isinstance(item, list)
                and len(item) == 2
                and (name := as_id(item[0])) is not None
            ]
            if len(pairs) == len(items) and (scores := self._placed(pairs, "pairs")):
                return scores
        elif all(item is None or plain_number(item) is not None for item in items):
            return self._positional([self._leaf(item) for item in items], "numbers in order")
        elif _holds(items, str):
            texts = [item for item in items if isinstance(item, str)]
            if scores := self.text(plain(fold("\n".join(texts)))):
                return scores
            return self._positional([self._leaf(item) for item in items], "texts in order")
        if depth:
            for item in items:
                if isinstance(item, dict | list) and (scores := self._from(item, depth - 1)):
                    return scores
        return _NOTHING

    def _entry(self, found: dict[str, JSON]) -> Pairs:
        """An object with a document and a score, or with parallel lists of both."""
        score_keys = [key for key in found if is_score_key(key)]
        id_keys = [key for key in found if is_id_key(key) and key not in score_keys]
        for id_key in sorted(id_keys, key=lambda key: kind(key) != "document"):
            named = found[id_key]
            if isinstance(named, dict):
                named = next((v for k, v in named.items() if is_id_key(k)), None)
            ids = [as_id(name) for name in named] if isinstance(named, list) else [as_id(named)]
            if not ids or None in ids:
                continue
            for key in sorted(score_keys, key=lambda key: "relevan" not in key.lower()):
                value = found[key]
                if isinstance(value, list) and len(value) == len(ids):
                    values = [self._leaf(item) for item in value]
                else:
                    values = [self._leaf(value)] * len(ids)
                return [
                    (name, score)
                    for name, score in zip(ids, values, strict=True)
                    if name is not None
                ]
        return []

    def _leaf(self, value: JSON) -> float | None:
        if isinstance(value, dict):
            keys = [key for key in value if is_score_key(key)]
            keys.sort(key=lambda key: "relevan" not in key.lower())
            return next((s for key in keys if (s := self._leaf(value[key])) is not None), None)
        if isinstance(value, str):
            return leading_score(value, self.on, self.words)
        number = plain_number(value)
        return None if number is None else self.on.unit(number)

    # Text -------------------------------------------------------------------------------------

    def text(self, text: str) -> Reading[Scores]:
        """The scores in plain text, by the first reading that finds any."""
        readings: tuple[Callable[[str], Reading[Scores]], ...] = (
            self._tables, self._records, self._row, self._numbered, self._alike, self._graded,
        )  # fmt: skip
        return next((found for reading in readings if (found := reading(text))), _NOTHING)

    def _tables(self, text: str) -> Reading[Scores]:
        for rows in tables(text):
            body, id_column, score_column, _ = columns(rows)
            pairs: Pairs = []
            for cells in body:
                name = as_id(cells[id_column]) if id_column < len(cells) else None
                if name is None or score_column is None:
                    continue
                at = range(1, len(cells)) if score_column < 0 else [score_column]
                scores = (
                    leading_score(cells[i], self.on, self.words) for i in at if i < len(cells)
                )
                pairs.append((name, next((s for s in scores if s is not None), None)))
            if found := self._placed(pairs, "table"):
                return found
        return _NOTHING

    def _records(self, text: str) -> Reading[Scores]:
        found, orphans = records(text)
        toks = tokens(text) if self.words and found else []
        pairs: Pairs = []
        for record in found:
            score = self._unit(record.value)
            if score is None and self.words and record.start < len(toks):
                end = toks[record.end - 1].end if record.end <= len(toks) else len(text)
                grade = self.words.first(text[toks[record.start].start : end][:200])
                score = None if grade is None else self.on.unit(grade)
            pairs += [(name, score) for name in record.ids]
        if placed := self._placed([pair for pair in pairs if pair[1] is not None], "records"):
            return placed
        if not found and len(orphans) == self.count and self.count > 1:
            return self._positional([self._unit(value) for value in orphans], "labels in order")
        return _NOTHING

    def _numbered(self, text: str) -> Reading[Scores]:
        pairs = [(name, self._unit(value)) for name, value in numbered(text)]
        return self._placed(pairs, "numbered lines")

    def _alike(self, text: str) -> Reading[Scores]:
        pairs = [(name, self._unit(value)) for name, value in alike(text)]
        return self._placed(pairs, "lines alike")

    def _graded(self, text: str) -> Reading[Scores]:
        """Numbered lines that begin with a grade in words: `3. High`."""
        if self.words is None:
            return _NOTHING
        lines = [(int(line[1]), self.words.first(line[2])) for line in _NUMBERED.finditer(text)]
        pairs = [(name, None if grade is None else self.on.unit(grade)) for name, grade in lines]
        return self._placed(pairs, "graded lines")

    def _row(self, text: str) -> Reading[Scores]:
        return self._positional([self._unit(value) for value in row(text)], "row")

    def _unit(self, value: Value | None) -> float | None:
        if value is None or (value.ends and self.on.is_itself(*value.ends)):
            return None
        return self.on.unit(value.number, value.of)

    # Positions --------------------------------------------------------------------------------

    def _placed(self, pairs: Pairs, by: str, *, sure: bool = False) -> Reading[Scores]:
        """The scores of our documents. `sure`: these are ids, however few of them are ours."""
        first = first_id_used((name for name, _ in pairs), self.count, self.first_id)
        named = {name for name, _ in pairs}
        ours = {name for name in named if 0 <= name - first < self.count}
        if not sure and 2 * len(ours) < min(len(named), self.count):
            return _NOTHING  # as many as half of all documents are no accident, whatever follows
        found: Scores = {}
        for name, score in pairs:
            if name in ours and score is not None:
                found.setdefault(name - first, score)
        return Reading(found, by) if found else _NOTHING

    def _positional(self, scores: list[float | None], by: str) -> Reading[Scores]:
        found = {i: score for i, score in enumerate(scores) if score is not None}
        return Reading(found, by) if found and len(scores) == self.count else _NOTHING


def _holds(items: list[JSON], kind_of: type) -> bool:
    return any(isinstance(item, kind_of) for item in items)
