"""Examples in docstrings as code: Markdown takes `>>>` for three quotations."""

from __future__ import annotations

import re
from typing import Any

import griffe

#: An example, up to the next empty line.
_EXAMPLE = re.compile(r"(?m)^(>>> .*(?:\n(?!\s*$).*)*)")


def fenced(doc: str) -> str:
    """The docstring with its examples in fences."""
    return _EXAMPLE.sub(r"```pycon\n\1\n```", doc)


class Fenced(griffe.Extension):
    """Fences the examples of every docstring that is read."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite its docstring."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
