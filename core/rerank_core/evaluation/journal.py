"""A file that remembers what was already ranked, so that a run that was stopped goes on.

JSON lines, one ranking each, written as soon as it is there. The key of a line is a hash of all
that its ranking depends on: system, query, candidates. It holds ids and scores, no texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..combine.combination import Combination
from ..errors import InvalidInputError
from ..protocols import traits_of
from ..ranking.candidate import Candidate
from ..reranker import Reranker
from .run import Ranked

#: How every line begins.
_BEGINS = b'{"key": "'


class Journal:
    """The rankings in a file, by key; a new one is appended. One process at a time.

    Raises `InvalidInputError` for a file that is there and is no journal: it is left as it is.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._known: dict[str, dict[str, Any]] = {}
        if self.path.exists():
            if self.path.is_dir():
                raise InvalidInputError(f"{self.path} is a folder: name a file for the journal")
            whole = self.path.read_bytes()
            if whole and not _is_journal(whole):
                raise InvalidInputError(
                    f"{self.path} is there and is no journal: name another file, or a new one"
                )
            if whole and not whole.endswith(b"\n"):  # killed while writing: that line is lost
                whole = whole[: whole.rfind(b"\n") + 1]
                self.path.write_bytes(whole)
            for line in whole.splitlines():
                try:
                    entry = json.loads(line)
                    self._known[entry["key"]] = entry
                except (ValueError, KeyError, TypeError):
                    continue

    def get(self, key: str) -> Ranked | None:
        """The ranking that was written under this key."""
        entry = self._known.get(key)
        return None if entry is None else Ranked.from_dict(entry)

    def add(self, key: str, system: str, query: str, ranked: Ranked) -> None:
        """Write it down now."""
        entry = {"key": key, "system": system, "query": query, **ranked.to_dict()}
        # half a surrogate pair escaped is just what JSON has for it
        with self.path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._known[key] = entry


def _is_journal(whole: bytes) -> bool:
    """By its first line, or where it was killed while writing that, by how it begins."""
    first, newline, _ = whole.partition(b"\n")
    if not newline and first.startswith(_BEGINS[: len(first)]):
        return True
    try:
        entry = json.loads(first)
    except ValueError:
        return False
    return isinstance(entry, dict) and {"key", "system", "query", "ids"} <= entry.keys()


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
