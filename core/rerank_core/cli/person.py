"""A person judges: a document, four keys."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from ..errors import InvalidInputError
from ..evaluation.judging.ledger import Ledger
from ..evaluation.judging.person import sample
from ..evaluation.judging.pool import Pair
from ..evaluation.judging.rubric import GRADES
from ..text.highlight import terms
from ..text.words import words

#: Characters of a document that are shown; "m" shows the rest.
SHOWN = 1500


def judge(
    pairs: Sequence[Pair], ledger: Ledger, count: int, *, seed: int = 0, doubtful: bool = False
) -> None:
    """Show a sample of the pairs, one after the other, and write down what a person says of each.

    The model's grade is not shown: whoever sees it agrees with it.
    """
    drawn = sample(pairs, ledger, count, seed=seed, doubtful=doubtful)
    if not drawn.asked:
        raise InvalidInputError(
            "nothing is doubtful: the model's passes agree on all that it judged"
            if doubtful
            else "there is no pair to judge"
        )
    console = Console()
    done = drawn.asked - len(drawn.left)
    if done:
        console.print(f"{done} of {drawn.asked} were judged before: going on", highlight=False)
    for number, pair in enumerate(drawn.left, start=done + 1):
        grade = _ask(console, pair, number, drawn.asked)
        if grade == "q":
            break
        if grade != "s":
            ledger.judged_by_person(pair, int(grade), doubtful=doubtful)
    console.print()


def _ask(console: Console, pair: Pair, number: int, of: int) -> str:
    """One of "0" to "3", "s" to skip, "q" to stop."""
    wanted = terms(pair.asked)
    console.print()
    console.print(Rule(Text(f"{number} of {of}"), align="left", style="dim"))
    console.print(Text(pair.asked, style="bold"))
    console.print()
    console.print(_marked(pair.text[:SHOWN], wanted))
    more = len(pair.text) > SHOWN
    if more:
        console.print(Text(f"… {len(pair.text) - SHOWN} characters more: m", style="dim"))
    console.print()
    for grade, meaning in enumerate(GRADES):
        console.print(Text.assemble((f"  {grade}  ", "bold"), meaning))
    console.print(Text("  s  skip     q  stop, and go on another time", style="dim"))
    while True:
        key = _key()
        if key == "m" and more:
            console.print(_marked(pair.text[SHOWN:], wanted))
        elif key in "0123sq" and key:
            console.print(Text(f"→ {key}", style="bold"))
            return key


def _key() -> str:
    """The key that was pressed; "q" at the end of what is piped in."""
    key = typer.getchar() if sys.stdin.isatty() else sys.stdin.read(1)
    return "q" if key in ("", "\x04") else key.lower()


def _marked(text: str, wanted: frozenset[str]) -> Text:
    shown = Text(text)
    for match in re.finditer(r"\w+", text):
        if not wanted.isdisjoint(words(match.group())):
            shown.stylize("bold cyan", *match.span())
    return shown
