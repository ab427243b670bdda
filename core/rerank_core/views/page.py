"""A page that stands alone: its parts, and the templates that make HTML of them.

One stylesheet for all (`templates/page.css`), nothing fetched; the one script searches and sorts a
table that is whole without it. Whatever is not `Markup` is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from .. import __version__
from ..evaluation.packages import package
from ..remote.secret import redact


@dataclass(frozen=True, slots=True)
class Made:
    """When, with which version and by which command (without secrets) a page was made."""

    date: str
    command: str = ""
    version: str = __version__

    @classmethod
    def now(cls, command: str = "") -> Made:
        """At this moment, in UTC."""
        return cls(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", redact(command, 2000))


@dataclass(frozen=True, slots=True)
class Number:
    """One of the numbers that a page opens with: what it is of, and a line more."""

    value: str
    what: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing, its title, and what it says in words."""

    title: str
    says: str
    drawing: str


#: A text, or a text and the number by which it is sorted.
Cell = str | tuple[str, float]


@dataclass(frozen=True, slots=True)
class Table:
    """The first row and the first column are headings."""

    label: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    under: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document on one side of a comparison; `moved` is None on the side of the base."""

    rank: int
    id: str
    grade: int
    moved: int | None
    text: str
    signals: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query whose orders stand side by side."""

    text: str
    change: str
    before: Sequence[Document]
    after: Sequence[Document]
    open: bool


@dataclass(frozen=True, slots=True)
class Losing:
    """The queries that a system loses."""

    base: str
    name: str
    queries: Sequence[Query]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page, with what there is in it."""

    title: str
    says: str
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    losing: Sequence[Losing] = ()
    queries: Table | None = None

    @property
    def anchor(self) -> str:
        """What a link to it is called."""
        return "-".join(self.title.lower().replace(",", "").split())


def rendered(template: str, **values: Any) -> str:
    """The template with these values. `MissingExtraError` where Jinja2 is not installed."""
    html: str = _templates().get_template(template).render(**values)
    return html


def safe(html: str) -> str:
    """HTML that is escaped already."""
    made: str = package("markupsafe").Markup(html)
    return made


@cache
def _templates() -> Any:
    jinja2 = package("jinja2")
    folder = files(__package__).joinpath("templates")

    def source(name: str) -> str | None:
        return folder.joinpath(name).read_text(encoding="utf-8")

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(source),
        # the stylesheet and the script are ours, and have nothing to fill in
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
