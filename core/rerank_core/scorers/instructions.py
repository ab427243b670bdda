"""One instruction, handed to every scorer that takes one.

A scorer that does has `with_instruction(text) -> scorer`: another one, under another fingerprint.
It raises `ConfigurationError` where its model or its server takes none after all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import ConfigurationError
from ..protocols import Scorer
from .named import Recipe


def instruct(stages: Sequence[Recipe], instruction: str | None) -> tuple[Recipe, ...]:
    """The stages, with the scorers that take the instruction told so; None: as they are.

    Raises `ConfigurationError`, with what each scorer has to say, where none does.
    """
    if instruction is None:
        return tuple(stages)
    refusals: list[str] = []
    made = tuple(
        stage._replace(
            scorers={
                name: _with(name, scorer, instruction, refusals)
                for name, scorer in stage.scorers.items()
            },
        )
        for stage in stages
    )
    if len(refusals) == sum(len(stage.scorers) for stage in stages):
        raise ConfigurationError(f"instruction= has no use: {'; '.join(refusals)}")
    return made


def instruct_where_taken(
    scorers: Mapping[str, Scorer], instruction: str | None
) -> Mapping[str, Scorer]:
    """Same, of scorers that may do without: fallbacks."""
    if instruction is None:
        return scorers
    return {name: _with(name, scorer, instruction, []) for name, scorer in scorers.items()}


def _with(name: str, scorer: Scorer, instruction: str, refusals: list[str]) -> Scorer:
    take = getattr(scorer, "with_instruction", None)
    if take is None:
        refusals.append(f"{name} ({type(scorer).__name__}) takes none")
        return scorer
    try:
        instructed: Scorer = take(instruction)
    except ConfigurationError as error:
        refusals.append(f"{name}: {error}")
        return scorer
    return instructed
