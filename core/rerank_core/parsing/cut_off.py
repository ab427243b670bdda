"""Replies that end too soon, in a number that might have gone on."""

from __future__ import annotations

import re

from .scale import Scale
from .scan import to_float


def without_growing_tail(text: str, on: Scale) -> str:
    """`text` without the number it ends in, if that could have gone on."""
    tail = re.search(r"[\d.]{1,20}\Z", text[-40:].rstrip())
    return text[: text.rindex(tail[0])] if tail and _grows(tail[0], on) else text


def _grows(tail: str, on: Scale) -> bool:
    """Whether a number that a reply was cut off behind could go on: 1 to 10, 0 to 0.8."""
    number = to_float(tail.strip("."))
    if number is None:
        return False
    if "." in tail:
        return tail.endswith(".")
    return number * 10 <= on.high if number else on.high <= 1


def ends_in_score(text: str, on: Scale) -> bool:
    """Whether a reply that was cut off ends in a JSON number that is complete."""
    tail = re.search(r":\s{0,9}([\d.]{1,20})\Z", text[-40:].rstrip())
    return tail is not None and not _grows(tail[1], on)
