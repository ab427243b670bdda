"""Words to stems, so that a task, its tasks and to task are one. Snowball, where there is one.

PyStemmer is Snowball's own C library: a stem takes a microsecond, where the same algorithms in
Python (`snowballstemmer`) take seventy, and importing it takes nothing. It has wheels for Linux,
macOS and Windows from Python 3.11 on, free-threaded ones too. BSD and MIT.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..runtime.patterns import pattern
from .words import plain

#: Snowball's name for a language of ours.
SNOWBALL: Mapping[str, str] = MappingProxyType(
    {
        "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german",
        "el": "greek", "en": "english", "es": "spanish", "fa": "persian", "fi": "finnish",
        "fr": "french", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "it": "italian",
        "lt": "lithuanian", "nb": "norwegian", "nl": "dutch", "pl": "polish", "pt": "portuguese",
        "ro": "romanian", "ru": "russian", "sh": "serbian", "sv": "swedish", "ta": "tamil",
        "tr": "turkish",
    }
)  # fmt: skip

#: The particles that Hebrew writes onto the front of a word: and, that, as, to, in, from, the.
_HEBREW_PARTICLE = pattern("[ושכלבמה](?=.{3})")


def stemmer(language: str | None) -> Callable[[str], tuple[str, ...]]:
    """A function from a folded word to its keys: two words are one if they share a key.

    The stem as the word is written, and as it would be without its accents, since people leave
    them out. Without a language, or one that Snowball does not know, the word without accents.
    Not to be shared by threads.
    """
    if language == "he":
        return _hebrew
    if language is None or language not in SNOWBALL:
        return lambda word: (plain(word),)
    from Stemmer import Stemmer

    stem = Stemmer(SNOWBALL[language], 0).stemWord  # whoever counts words remembers them

    def keys(word: str) -> tuple[str, ...]:
        if word.isascii():
            return (stem(word),)
        written, typed = plain(stem(word)), plain(stem(plain(word)))
        return (written,) if written == typed else (written, typed)

    return keys


def _hebrew(word: str) -> tuple[str, ...]:
    bare = _HEBREW_PARTICLE.sub("", word, count=1) if _HEBREW_PARTICLE.match(word) else word
    return (word,) if bare == word else (word, bare)
