"""Text as words, in any script, whichever way it was typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from ..runtime.patterns import pattern

#: What stands between the letters of a word unseen, and letters that only stretch it: soft hyphens,
#: joiners, marks of direction, variation selectors; Arabic vowel signs and tatweel, Hebrew points.
_UNSEEN = pattern(
    "[\u00ad\u034f\u061c\u0640\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069"
    "\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"
)
#: What NFKC would glue to the word before it: trade marks, footnotes, exponents; and apostrophes
#: that Unicode counts as letters.
_APART = pattern("[_\u00a9\u00ae\u2120\u2122\u00b2\u00b3\u00b9\u2070-\u207f\u02b9-\u02bd\u02c8]")
#: Letters that are typed one for the other, or that no decomposition takes apart.
_ALIKE = str.maketrans("أإآٱىیکةۀłøđħı", "ااااييكههlodhi")
_ACCENT = pattern("[\u0300-\u036f]")

#: Scripts that put no space between words, or put particles onto them (Hangul): what is counted is
#: their characters and pairs of them.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u302f\u3040-\u312f\u3131-\u318f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\ua980-\ua9ff\uaa60-\uaadf\uac00-\ud7ff\uf900-\ufaff"
    "\U00016fe0-\U0001b2ff\U00020000-\U000323af"
)
_UNSPACED = pattern(f"[{UNSPACED}]+")
_HAN = pattern("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")

#: Small letters and digits of ASCII as they are, capitals as small ones, a space for all else.
_ASCII = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))

_ASCII_OR_NOT = {**dict(enumerate(_ASCII)), ord("?"): "?"}


def fold(text: str) -> str:
    """The text in one form: one case, one spelling of each character, nothing unseen in a word.

    Unicode's NFKC, so that full width, ligatures and presentation forms are plain letters. Accents
    stay, as stemmers read them; `plain` takes them off. In what is ASCII, spaces stand for all that
    is neither letter nor digit.

    >>> fold("ＴＡＳＫ co\u00adoperate किताब"), fold("os_path.join")
    ('task cooperate किताब', 'os path join')
    """
    if text.isascii():
        return text.translate(_ASCII)
    text = _APART.sub(" ", text)
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    text = text.casefold().replace("i\u0307", "i")
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return _UNSEEN.sub("", text)


def narrow_and_wide(text: str) -> tuple[str, str]:
    """The text folded, in two: its ASCII words, and those words that hold anything else.

    The first has "?" for each character that is not ASCII; what few words are not plain ASCII is
    all that need be looked at one character at a time.

    >>> narrow_and_wide("Why a café?")
    ('why a caf? ', 'café')
    """
    if text.isascii():
        return text.translate(_ASCII), ""
    text = text.replace("?", " ")
    narrow = text.encode("ascii", "replace").decode("ascii").translate(_ASCII_OR_NOT)
    wide, at = [], narrow.find("?")
    while at >= 0:
        end = narrow.find(" ", at)
        end = len(narrow) if end < 0 else end
        wide.append(text[narrow.rfind(" ", 0, at) + 1 : end])
        at = narrow.find("?", end)
    return narrow, fold(" ".join(wide))


def plain(word: str) -> str:
    """A folded word as it is often typed: without the accents of Latin, Greek and Cyrillic, and
    with one letter for those of Arabic that look alike.

    >>> plain("élève")
    'eleve'
    """
    if word.isascii():
        return word
    taken = _ACCENT.sub("", unicodedata.normalize("NFD", word.translate(_ALIKE)))
    return unicodedata.normalize("NFC", taken)


def words(text: str) -> Iterator[str]:
    """The words of a text, folded. Runs of a script without spaces come as pairs of characters.

    >>> list(words("Größe of 2 cafés"))
    ['grösse', 'of', '2', 'cafés']
    >>> list(words("東京都 ok 猫 किताब"))
    ['東京', '京都', 'ok', '猫', 'किताब']
    """
    for part, spaced in parts(fold(text)):
        if spaced:
            yield part
        else:
            yield from pairs(part)


def parts(folded: str) -> Iterator[tuple[str, bool]]:
    """The stretches of letters, digits and marks in a folded text, and whether each is a word.

    If not, it is a run of a script that puts no spaces between words.
    """
    if folded.isascii():
        for word in fold(folded).split():
            yield word, True
        return
    for stretch in stretches(folded):
        end = 0
        for run in _UNSPACED.finditer(stretch):
            if run.start() > end:
                yield stretch[end : run.start()], True
            yield run.group(), False
            end = run.end()
        if end < len(stretch):
            yield stretch[end:], True


def stretches(folded: str) -> list[str]:
    """The stretches of letters, digits and marks in a folded text, runs without spaces included."""
    return _stretch().findall(folded)


def pairs(run: str) -> list[str]:
    """Each two neighbouring characters of a run without spaces; the one it has, if only one.

    A character is a letter with the marks on it, and the consonants that end its syllable.
    """
    units = _units().findall(run)
    return ["".join(units[at : at + 2]) for at in range(max(1, len(units) - 1))]


def characters(run: str) -> list[str]:
    """The Han characters of a run, each of which means something on its own."""
    return _HAN.findall(run)


def without_unspaced(folded: str) -> tuple[str, int]:
    """A folded text with spaces in the place of scripts that have none, and how many there were."""
    found = sum(map(len, _UNSPACED.findall(folded)))
    return (_UNSPACED.sub(" ", folded), found) if found else (folded, 0)


@cache
def _stretch() -> re.Pattern[str]:
    return re.compile(rf"[\w{_marks()}]+")


@cache
def _units() -> re.Pattern[str]:
    # Khmer and Burmese: a sign that stacks the next consonant; a consonant with asat is a final one
    return re.compile(
        f".(?:[\u17d2\u1039].|[\u1000-\u1021]\u103a|[{_marks()}\u0e33\u0eb3])*", re.DOTALL
    )


@cache
def _marks() -> str:
    """Every combining mark, as ranges: Python's \\w leaves them out."""
    # the blocks that hold any, as looking through all of Unicode would take a tenth of a second
    spans = (
        *((0x300, 0x1E00), (0x20D0, 0x2E00), (0x302A, 0x309B), (0xA66F, 0xAC00)),
        *((0xFB1E, 0xFE30), (0x10A00, 0x12000), (0x16A00, 0x17000), (0x1E000, 0x1E950)),
    )
    found = [
        code for start, end in spans for code in range(start, end)
        if unicodedata.category(chr(code)).startswith("M")
    ]  # fmt: skip
    ranges: list[list[int]] = []
    for code in found:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in ranges)
