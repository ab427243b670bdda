"""A reply that is the prompt over again: a test model's, or a server's that does not generate.

What a prompt says about the grades reads like grades, so such a reply must not be read at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..parsing.layers import without_reasoning

#: A reply of fewer letters is read as it is: those that are asked for have hardly any.
SHORTEST = 40
#: So much of the prompt's own words, in one stretch, is no quotation any more. A model that thinks
#: aloud repeats a sentence or two of its orders before it answers.
STRETCH = 300
#: Where the stretch is looked for: pieces of so many characters, one at every step.
_PIECE, _STEP = 40, 20
#: A query or a document may be quoted at any length, and is left out where it has so many.
_CONTENT = 12


def is_echo(reply: str, system: str, user: str, contents: Iterable[str]) -> bool:
    """Whether it holds the prompt itself, or is little else than a part of it.

    `system` and `user` are the prompt's messages, `contents` the query and the documents in them:
    that these are quoted says nothing. White space and reasoning do not count.
    """
    if sum(map(str.isalpha, reply)) < SHORTEST:
        return False
    said = _plain(without_reasoning(reply))
    user = _plain(user)
    if user in said:
        return True
    own = [text for text in map(_plain, contents) if len(text) >= _CONTENT]
    own.sort(key=len, reverse=True)
    said = _without(said, own, " ")
    if len(said) < SHORTEST:
        return False
    stretches = [
        stretch
        for message in (_plain(system), user)
        for text in _without(message, own, "\0").split("\0")
        for stretch in _stretches(text.strip(), said)
    ]
    return max(stretches, default=0) >= STRETCH or 2 * sum(stretches) >= len(said)


def _stretches(text: str, said: str) -> list[int]:
    """The lengths of those parts of `text` that stand in `said`."""
    found: list[int] = []
    end = -1
    for start in range(0, max(1, len(text) - _PIECE + _STEP), _STEP):
        piece = text[start : start + _PIECE]
        if len(piece) < _STEP or piece not in said:
            continue
        if start <= end:
            found[-1] += start + len(piece) - end
        else:
            found.append(len(piece))
        end = start + len(piece)
    return found


def _plain(text: str) -> str:
    return " ".join(text.split())


def _without(text: str, contents: Sequence[str], instead: str) -> str:
    for one in contents:
        text = text.replace(one, instead)
    return text
