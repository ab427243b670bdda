"""Shorten texts to a budget, and group them by one. Pure; linear in the text's length.

A cut falls between words where there are any near, and never inside what a reader sees as one
character. Sizes are characters, or tokens: counted by a tokenizer where one is at hand
(`count`), else by `estimate_tokens`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from ..errors import InvalidInputError

Count = Callable[[str], int]

#: How far back a cut looks for the end of a word. Longer "words" are hashes and URLs.
_WORD_REACH = 64
#: The longest character, as a reader sees it, that is kept whole: beyond, it is none but an
#: attack on linear time. (All the world's flags in a row are 516.)
_CHARACTER_REACH = 1024
#: Tries at a token boundary: each tokenizes at most the text at hand, so the sum stays linear.
_TRIES = 12


def truncate(text: str, max_chars: int) -> tuple[str, bool]:
    """`text` in at most `max_chars` characters, and whether anything but blanks was left out.

    The cut falls at the end of a word if one ends within the last 64 characters (or the last
    half, if that is less), else between two characters as a reader sees them: an accent, a
    joined emoji, a flag or a Hangul syllable stays whole or goes whole. A text that fits comes
    back as it is; one that is cut ends without blanks.
    """
    _at_least(0, max_chars=max_chars)
    if len(text) <= max_chars:
        return text, False
    end = _word_end(text, max_chars, floor=0, reach=min(_WORD_REACH, max_chars // 2))
    return text[:end].rstrip(), not text[end:].isspace()


def truncate_tokens(text: str, max_tokens: int, count: Count | None = None) -> tuple[str, bool]:
    """`text` in at most `max_tokens` tokens, and whether anything but blanks was left out.

    `count` says how many tokens a text has in the model at hand; without it they are estimated.
    Cuts as `truncate` does, within 1% of the longest prefix that fits. Only a prefix in
    proportion to the budget is tokenized, not the whole of a long text.
    """
    _at_least(0, max_tokens=max_tokens)
    measure = count or estimate_tokens
    fits, over = 0, max(16, 4 * max_tokens)
    while over < len(text) and measure(text[: _whole(text, over)]) <= max_tokens:
        fits, over = over, 2 * over
    if over >= len(text):
        over = len(text)
        if measure(text) <= max_tokens:
            return text, False
    for _ in range(_TRIES):
        if over - fits <= 1:
            break
        middle = (fits + over) // 2
        if measure(text[: _whole(text, middle)]) <= max_tokens:
            fits = middle
        else:
            over = middle
    kept, cut = truncate(text, fits)
    # A tokenizer may need more for less, as when a word loses its end: so look once more.
    while kept and measure(kept) > max_tokens:
        kept, cut = truncate(kept, len(kept) * 7 // 8)[0], True
    return kept, cut


def estimate_tokens(text: str) -> int:
    """About how many tokens a chat model's tokenizer makes of `text`; errs on the high side.

    Four characters a token in Latin letters, two in two-byte scripts (Cyrillic, Greek, Arabic,
    Hebrew), one in three-byte scripts (Chinese, Japanese, Korean, Thai, Devanagari), two tokens
    an emoji. Digits and punctuation come apart more often than letters, so they count more.
    """
    units = text.encode("utf-8", "surrogatepass")
    total = len(units)
    dense = total - len(units.translate(None, _ASCII_DENSE))
    two, three, four = (total - len(units.translate(None, lead)) for lead in _LEADS)
    plain = total - dense - 2 * two - 3 * three - 4 * four
    quarters = plain + 2 * dense + 2 * two + 4 * three + 8 * four
    return -(-quarters // 4)


_ASCII_DENSE = bytes(b for b in range(33, 127) if not chr(b).isalpha())
_LEADS = bytes(range(0xC2, 0xE0)), bytes(range(0xE0, 0xF0)), bytes(range(0xF0, 0xF5))


def beside_query(
    query: str, budget: int, count: Count | None = None, *, share: float = 0.5
) -> tuple[str, int, bool]:
    """The query, the tokens left beside it for documents, and whether the query was cut.

    `budget` is what query and documents have together. The query comes first: it stays whole
    as long as it needs no more than `share` (0 to 1) of the budget, however long the documents,
    and is truncated to that share beyond, so that documents keep the rest.
    """
    _at_least(0, budget=budget)
    if not 0 <= share <= 1:
        raise InvalidInputError(f"share must be within 0..1, not {share}")
    query, cut = truncate_tokens(query, int(budget * share), count)
    return query, budget - (count or estimate_tokens)(query), cut


def pack(budget: int, sizes: Iterable[int], max_count: int | None = None) -> list[range]:
    """Consecutive groups of positions in `sizes`, each within `budget` and `max_count`.

    Groups follow the order given and are filled from the front, so that the same texts always
    meet in the same groups, and more texts at the end change the last group only. A size over
    the budget stands alone.
    """
    if max_count is not None:
        _at_least(1, max_count=max_count)
    groups: list[range] = []
    start = used = end = 0
    for position, size in enumerate(sizes):
        full = max_count is not None and position - start >= max_count
        if position > start and (full or used + size > budget):
            groups.append(range(start, position))
            start, used = position, 0
        used += size
        end = position + 1
    if end > start:
        groups.append(range(start, end))
    return groups


def passages(text: str, size: int, overlap: int = 0) -> list[str]:
    """`text` in pieces of at most `size` characters, each repeating the last `overlap` or more.

    For scoring a long document by its best passage. Pieces begin and end as `truncate` cuts, and
    nothing but blanks is lost between them; only a character, as a reader sees it, that is longer
    than `size` is cut inside. `overlap` is at most half of `size`. A blank text has no passages.
    """
    _at_least(1, size=size)
    _at_least(0, overlap=overlap)
    if overlap > size // 2:
        raise InvalidInputError(f"overlap must be at most half of size {size}, not {overlap}")
    # Small reaches, so that a piece moves on by an eighth of its size at least: linear time.
    reach = min(_WORD_REACH, size // 8)
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = len(text)
        if end - start > size:
            end = _word_end(text, start + size, floor=start, reach=2 * reach)
            if end == start:
                end = start + size
        if piece := text[start:end].strip():
            pieces.append(piece)
        if end == len(text):
            break
        back = _word_end(text, end - overlap, floor=start, reach=reach if overlap else 0)
        start = back if back > start else end
    return pieces


def _word_end(text: str, at: int, *, floor: int, reach: int) -> int:
    """The last offset in `floor`..`at` to cut between words, else between characters."""
    for end in range(at, max(floor, at - reach), -1):
        if _between_words(text, end):
            return end
    return _whole(text, at, floor)


def _between_words(text: str, at: int) -> bool:
    if at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    apart = before.isspace() or after.isspace() or _is_unspaced(before) or _is_unspaced(after)
    return apart and not _continues(text, at)


def _is_unspaced(char: str) -> bool:
    """Whether the script is written without blanks, so that a line may break anywhere."""
    return (
        char >= "\u0e00"
        and (char <= "\u0eff" or "\u2e80" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff")
    ) or ("\uff00" <= char <= "\uffef" or "\U00020000" <= char <= "\U0003ffff")


def _whole(text: str, at: int, floor: int = 0) -> int:
    """The last offset in `floor`..`at` that is not inside a character as a reader sees it."""
    last = max(floor, at - _CHARACTER_REACH)
    for end in range(at, last, -1):
        if not _continues(text, end):
            return end
    return floor if last == floor else at


def _continues(text: str, at: int) -> bool:
    """Whether text[at] belongs to the same character, as seen, as what stands before it.

    The extended grapheme clusters of Unicode UAX #29, from what the standard library knows of
    characters; where it knows too little, rather a cut too few than one too many.
    """
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        return before == "\r" and after == "\n"
    if unicodedata.category(before) == "Cc":
        return False
    if before in _JOINERS or _extends(after):
        return True
    if _is_regional(before) and _is_regional(after):
        first = at - 1
        last = max(0, at - _CHARACTER_REACH)
        while first > last and _is_regional(text[first - 1]):
            first -= 1
        return (at - first) % 2 == 1  # flags are pairs, counted from where the row begins
    if "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff":
        return True
    if unicodedata.combining(before) == _VIRAMA and unicodedata.category(after) == "Lo":
        return True
    return _hangul(after) in _HANGUL_FOLLOWS.get(_hangul(before), "")


_VIRAMA = 9  # the canonical combining class of what joins two consonants into one
#: The zero-width joiner, and the Arabic and Indic signs that stand before what they belong to.
_JOINERS = frozenset(
    "\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e"
    "\U000110bd\U000110cd\U000111c2\U000111c3"
)


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or char in "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f"
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # the tags of regional flags
    )


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


#: Which kinds of Hangul may follow one another within a syllable: Leading, Vowel, Trailing
#: letters, and syllables that end in a vowel (v) or in a trailing consonant (t).
_HANGUL_FOLLOWS = {"L": "LVvt", "V": "VT", "v": "VT", "T": "T", "t": "T"}


def _hangul(char: str) -> str:
    """The kind of a Hangul letter or syllable; "-" for anything else."""
    if "\uac00" <= char <= "\ud7a3":
        return "t" if (ord(char) - 0xAC00) % 28 else "v"
    if "\u1100" <= char <= "\u115f" or "\ua960" <= char <= "\ua97c":
        return "L"
    if "\u1160" <= char <= "\u11a7" or "\ud7b0" <= char <= "\ud7c6":
        return "V"
    if "\u11a8" <= char <= "\u11ff" or "\ud7cb" <= char <= "\ud7fb":
        return "T"
    return "-"


def _at_least(least: int, **given: int) -> None:
    for name, value in given.items():
        if value < least:
            raise InvalidInputError(f"{name} must be at least {least}, not {value}")
