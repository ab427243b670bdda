"""Makes `core/rerank_core/text/word_frequencies.zip`: how often words occur, language by language.

    pip install msgpack && pip download --no-deps wordfreq==3.1.1
    python benchmarks/word_frequencies.py wordfreq-3.1.1-py3-none-any.whl

The source is Robyn Speer's wordfreq (frozen in 2024; doi 10.5281/zenodo.7199437), whose data are
CC BY-SA 4.0: so is the table. Each member holds one language, as lines of a frequency and the
stems that have it: a whole number f means 10 ** (f / 4 - 9) of all words. `common` has the
commonest words of each, as they are written: a language is known by them.
"""

from __future__ import annotations

import gzip
import io
import math
import sys
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgpack

from rerank_core.text.stems import stemmer
from rerank_core.text.words import characters, fold, pairs, parts

TABLE = Path(__file__).parents[1] / "core" / "rerank_core" / "text" / "word_frequencies.zip"

#: Rarer words are rare, whatever the language: no table needs to say so.
RAREST, RAREST_ENGLISH = 1e-4, 2e-5
#: How many words tell a language.
COMMON = 80
NOTICE = """\
Word frequencies of rerank_core: a table derived from wordfreq 3.1.1 by Robyn Speer
(https://github.com/rspeer/wordfreq, doi 10.5281/zenodo.7199437), stemmed, cut and rounded.
Licence of this file: Creative Commons Attribution-ShareAlike 4.0 International
(https://creativecommons.org/licenses/by-sa/4.0/).
wordfreq is built from, among others: Wikipedia (CC BY-SA), OpenSubtitles 2018 and SUBTLEX
(Marc Brysbaert et al.), Google Books Ngrams, the Leeds Internet Corpus, ParaCrawl, and the
GlobalVoices and NewsCrawl news texts.
"""


def counted(language: str, entries: list[Any]) -> tuple[dict[str, float], dict[str, float]]:
    """The frequency of each key of BM25, and of each word as it stands."""
    keys_of = stemmer(language)
    keys: dict[str, float] = defaultdict(float)
    surface: dict[str, float] = defaultdict(float)
    for centibels, words in enumerate(entries):
        frequency = 10 ** (-centibels / 100)
        for word in words:
            for part, spaced in parts(fold(word)):
                if not spaced:
                    for gram in {*pairs(part), *characters(part)}:
                        keys[gram] += frequency
                elif not any(letter.isdigit() for letter in part):
                    surface[part] += frequency
                    keys[keys_of(part)[0]] += frequency
    return keys, surface


def lines(frequencies: dict[str, float], rarest: float) -> str:
    """The table as text."""
    rows: dict[int, list[str]] = defaultdict(list)
    for key, frequency in frequencies.items():
        if frequency >= rarest:
            rows[round(4 * (9 + math.log10(frequency)))].append(key)
    return "\n".join(f"{f} {' '.join(sorted(rows[f]))}" for f in sorted(rows, reverse=True))


def main() -> None:
    common, made = [], io.BytesIO()
    with zipfile.ZipFile(sys.argv[1]) as wheel, zipfile.ZipFile(made, "w") as table:

        def add(name: str, text: str) -> None:
            member = zipfile.ZipInfo(name)  # of a fixed date, so that the same goes in and out
            table.writestr(member, text, zipfile.ZIP_DEFLATED, 9)

        add("NOTICE", NOTICE)
        for name in sorted(wheel.namelist()):
            if not name.startswith("wordfreq/data/small_"):
                continue
            language = name.removeprefix("wordfreq/data/small_").split(".")[0]
            entries = msgpack.loads(gzip.decompress(wheel.read(name)), raw=False)[1:]
            keys, surface = counted(language, entries)
            add(language, lines(keys, RAREST_ENGLISH if language == "en" else RAREST))
            best = sorted(surface, key=lambda word: -surface[word])[:COMMON]
            common.append(f"{language} {' '.join(best)}")
        add("common", "\n".join(common))
    TABLE.write_bytes(made.getvalue())
    print(f"{TABLE.name}: {len(common)} languages, {TABLE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
