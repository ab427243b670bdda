"""Untrusted text as HTML: escaped, cut to the telling stretch, the query's words marked."""

from __future__ import annotations

import re
from html import escape

from .words import words

_WORD = re.compile(r"\w+")


def terms(query: str) -> frozenset[str]:
    """The query's words, as BM25 counts them, but for Latin ones of one or two letters."""
    every = frozenset(words(query))
    return frozenset(w for w in every if len(w) > 2 or not (w.isascii() and w.isalpha())) or every


def marked(text: str, wanted: frozenset[str]) -> str:
    """The text as HTML, every word of it that is `wanted` within <mark>."""
    parts, end = [], 0
    for match in _WORD.finditer(text):
        if not wanted.isdisjoint(words(match.group())):
            parts += [
                escape(text[end : match.start()]),
                "<mark>",
                escape(match.group()),
                "</mark>",
            ]
            end = match.end()
    return "".join(parts) + escape(text[end:])


def snippet(text: str, wanted: frozenset[str], size: int) -> str:
    """The stretch of about `size` characters that holds most of the wanted words, blanks folded."""
    flat = " ".join(text.split())
    if len(flat) <= size:
        return flat
    hits = [m.start() for m in _WORD.finditer(flat) if not wanted.isdisjoint(words(m.group()))]
    best = max(hits or [0], key=lambda at: (sum(at <= hit < at + size for hit in hits), -at))
    start = max(0, min(best - size // 10, len(flat) - size))
    start = flat.rfind(" ", 0, start) + 1
    end = flat.rfind(" ", start + size // 2, start + size + 1) if start + size < len(flat) else -1
    end = end if end > 0 else start + size
    return f"{'… ' if start else ''}{flat[start:end]}{' …' if end < len(flat) else ''}"
