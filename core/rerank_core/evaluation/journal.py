"""A file that remembers what was already ranked, so that a run that was stopped goes on.

JSON lines, one ranking each, written as soon as it is there. The key of a line is a hash of all
that its ranking depends on: system, query, candidates. It holds ids and scores, no texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..combine.combination import Combination
from ..errors import InvalidInputError
from ..protocols import traits_of
from ..ranking.candidate import Candidate
from ..reranker import Reranker
from .lines import taken_up, written
from .run import Ranked


class Journal:
    """The rankings in a file, by key; a new one is appended. One process at a time.

    Raises `InvalidInputError` for a file that is there and is no journal: it is left as it is.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._known: dict[str, dict[str, Any]] = {}
        if self.path.is_dir():
            raise InvalidInputError(f"{self.path} is a folder: name a file for the journal")
        if self.path.exists():
            self._known = {
                row["key"]: row
                for row in taken_up(self.path, "journal", b'{"key": "', _is_ranking)
                if isinstance(row.get("key"), str)
            }

    def get(self, key: str) -> Ranked | None:
        """The ranking that was written under this key."""
        entry = self._known.get(key)
        return None if entry is None else Ranked.from_dict(entry)

    def add(self, key: str, system: str, query: str, ranked: Ranked) -> None:
        """Write it down now."""
        entry = {"key": key, "system": system, "query": query, **ranked.to_dict()}
        with self.path.open("ab") as file:
            file.write(written(entry))
        self._known[key] = entry


def _is_ranking(row: Mapping[str, Any]) -> bool:
    return {"key", "system", "query", "ids"} <= row.keys()


def system_key(name: str, reranker: Reranker) -> str:
    """Names the system: by the fingerprints of its scorers, and how they are combined.

    A scorer without a fingerprint is known by the system's name, its type and its plain options; of
    a function of the user's own that says nothing: give its system another name when it changes.
    """
    scorers = [
        (kind, signal, traits_of(scorer).fingerprint or (name, _options(scorer)))
        for kind, several in (("scorer", reranker.scorers), ("fallback", reranker.fallback))
        for signal, scorer in several.items()
    ]
    stages = [
        (list(one.scorers), _combination(one.combine), one.depth, one.unless)
        for one in reranker.stages
    ]
    return repr((scorers, stages, reranker.depth))


def ranking_key(system: str, query: str, candidates: Sequence[Candidate]) -> str:
    """The key of a ranking: 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    for part in _parts(system, query, candidates):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _options(scorer: object) -> tuple[str, Sequence[tuple[str, object]]]:
    plain = [
        (name, value)
        for name, value in sorted(getattr(scorer, "__dict__", {}).items())
        if isinstance(value, (str, int, float, tuple)) or value is None
    ]
    return type(scorer).__qualname__, plain


def _parts(system: str, query: str, candidates: Sequence[Candidate]) -> Iterable[bytes]:
    yield system.encode("utf-8", "surrogatepass")
    yield query.encode("utf-8", "surrogatepass")
    for candidate in candidates:
        yield repr((candidate.id, candidate.score)).encode("utf-8", "surrogatepass")
        yield candidate.text.encode("utf-8", "surrogatepass")


def _combination(combine: Combination | None) -> str:
    return "" if combine is None else repr((type(combine).__name__, combine))
