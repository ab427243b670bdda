"""The grade that a model had in mind: the mean over the numbers it considered.

A model that wavers between 7 and 8 says 7 every time; its probabilities say 7.4, which breaks
ties and is steadier (Zhuang et al. 2024, "Beyond Yes and No"; Liu et al. 2023, "G-Eval").
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from ..protocols import Reply

_NUMBER = re.compile(r"\d+")


def expected_grade(reply: Reply, scale: tuple[int, int]) -> float | None:
    """The expected grade, mapped from `scale` to 0..1; None without usable log probabilities.

    Only a reply with one single number in it is read so. Tokens that are no grade on the scale
    have no vote. Some tokenizers cut every number into digits: then "1" may be the beginning of
    "10", and its share goes to both, as the next token tells; where the model chose another
    digit, that cannot be told, and it has no vote.
    """
    low, high = scale
    said = _NUMBER.findall(reply.text)
    if len(said) != 1 or not low <= int(said[0]) <= high or low < 0:
        return None
    position = _first_digit(reply.logprobs, said[0])
    if position is None:
        return None
    shares = _shares(reply.logprobs[position], low, high)
    whole = _chosen(reply.logprobs[position]) == said[0]
    if high > 9 and not any(grade > 9 for grade in shares):
        _split(shares, reply.logprobs[position + 1 :], said[0], low, high)
    elif not whole:
        return None
    total = sum(shares.values())
    if total <= 0:
        return None
    mean = sum(grade * share for grade, share in shares.items()) / total
    return (mean - low) / (high - low)


def _first_digit(logprobs: Sequence[Mapping[str, float]], said: str) -> int | None:
    """The position whose token begins the number that was said."""
    for position, candidates in enumerate(logprobs):
        token = _chosen(candidates)
        if token and said.startswith(token):
            return position
        if token is not None and _NUMBER.search(token):
            return None
    return None


def _chosen(candidates: Mapping[str, float]) -> str | None:
    return max(candidates, key=candidates.__getitem__).strip() if candidates else None


def _shares(candidates: Mapping[str, float], low: int, high: int) -> dict[int, float]:
    shares: dict[int, float] = {}
    for token, logprob in candidates.items():
        digits = token.strip()
        if digits.isdecimal() and len(digits) <= 3 and low <= int(digits) <= high:
            shares[int(digits)] = shares.get(int(digits), 0.0) + math.exp(min(0.0, logprob))
    return shares


def _split(
    shares: dict[int, float],
    after: Sequence[Mapping[str, float]],
    said: str,
    low: int,
    high: int,
) -> None:
    """Give each first digit's share to the numbers that it begins."""
    first = int(said[0])
    ambiguous = {grade for grade in shares if 10 * grade <= high and grade}
    for grade in ambiguous - {first}:
        del shares[grade]
    if first in ambiguous:
        share = shares.pop(first)
        following = after[0] if after else {}
        rest = 1.0
        for digit, more in _shares(following, 0, 9).items():
            if low <= 10 * first + digit <= high:
                shares[10 * first + digit] = share * more
                rest -= more
        if low <= first:
            shares[first] = share * max(0.0, rest)
