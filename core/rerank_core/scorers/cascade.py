"""A cascade: cheap scorers over many candidates, dear ones over the few that are left.

What is asked for, as plain values; `engine.pipeline` does it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..combine.combination import Combination
from ..errors import ConfigurationError
from ..remote.secret import redact
from ..runtime.checks import real_number, whole_number
from ..runtime.patterns import pattern

#: Between the stages of a cascade that is named by a string.
THEN = ">"
# more digits than that belong to the model's own name, as in "claude-3-5-sonnet@20240620"
_DEPTH = pattern(r"(.*\S)\s*@\s*(\d{1,5})", re.DOTALL)


@dataclass(frozen=True, slots=True, repr=False)
class Stage:
    """One stage of a `Cascade`: a scorer, and how many of the best so far it is shown.

    `scorer` is what `Reranker` takes for one: a name, an object, a function, or several of them by
    name with `combine`. That may weigh the signals of earlier stages too, by their names, and
    "retrieval". `depth` None: as many as the stage before.

    `unless` (0 to 1): the stage is skipped where the best candidate so far stands this far ahead
    of the second: where (best - second) / (best - least) is at least `unless`. The least is 0,
    or the lowest score there is where that is negative, so that the scale does not matter. The
    scores are those of the stage before, or the retriever's before the first; where one is
    missing, the stage is not skipped. What a good margin is depends on the collection: `rerank
    tune` learns it.

    Raises `ConfigurationError` for what could never work.
    """

    scorer: Any
    depth: int | None = None
    unless: float | None = field(default=None, kw_only=True)
    combine: Combination | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        depth = whole_number("depth", self.depth, least=1, none="as many as the stage before")
        unless = real_number("unless", self.unless, above=0, most=1, none="never")
        if self.combine is not None and not isinstance(self.combine, Combination):
            raise ConfigurationError(
                f"a stage's combine is a WeightedSum({{…}}) or a ReciprocalRankFusion(), not "
                f"{self.combine!r}"
            )
        if is_cascade(self.scorer) or isinstance(self.scorer, Stage):
            raise ConfigurationError(
                f"a stage has one scorer, not {self.scorer!r}: list the stages side by side, "
                'Cascade("hybrid", ("onnx", 50), ("llm:gpt-4o-mini", 10))'
            )
        object.__setattr__(self, "depth", depth)
        object.__setattr__(self, "unless", unless)

    def __repr__(self) -> str:
        told = [repr(self.scorer), *([] if self.depth is None else [str(self.depth)])]
        told += [
            f"{name}={value!r}"
            for name, value in (("unless", self.unless), ("combine", self.combine))
            if value is not None
        ]
        return redact(f"Stage({', '.join(told)})")


@dataclass(frozen=True, init=False, slots=True, repr=False)
class Cascade:
    """Scorers one after the other, each over the best so many of the order so far.

    Each stage is a scorer, a pair of a scorer and how many it is shown, or a `Stage`. They share
    one deadline. Where a stage fails, or time runs out, the order of the stage before stands; what
    a stage leaves unscored is placed by it. By name: "hybrid > onnx@50 > llm:gpt-4o-mini@10".

    A hit's score is that of the last stage that scored it, mapped so that scores follow the order:
    what stands beneath the last stage is scaled down to no more than the lowest score there (by a
    factor; where a score is negative, by a shift). `hit.components` has what each stage said.

    Raises `ConfigurationError` for what could never work.

    >>> Cascade("hybrid", ("onnx", 50), ("llm:gpt-4o-mini", 10)) == Cascade.named(
    ...     "hybrid > onnx@50 > llm:gpt-4o-mini@10"
    ... )
    True
    """

    stages: tuple[Stage, ...]

    def __init__(self, *stages: Any) -> None:
        if not stages:
            raise ConfigurationError("a cascade without a stage: name a scorer")
        made = tuple(_stage(one) for one in stages)
        widest: int | None = None
        for stage in made:
            if widest is not None and stage.depth is not None and stage.depth > widest:
                raise ConfigurationError(
                    f"depth {stage.depth} comes after depth {widest}: a stage is shown no more "
                    "than the stage before"
                )
            widest = stage.depth or widest
        object.__setattr__(self, "stages", made)

    @classmethod
    def named(cls, name: str) -> Cascade:
        """The cascade that a string such as "hybrid > onnx@50" names."""
        parts = [part.strip() for part in name.split(THEN)]
        if not all(parts):
            raise ConfigurationError(
                f'{name!r} has a stage without a scorer: write "hybrid > onnx@50"'
            )
        return cls(*(_named(part) for part in parts))

    def __repr__(self) -> str:
        return f"Cascade({', '.join(map(repr, self.stages))})"


def is_cascade(scorer: Any) -> bool:
    """Whether this is a cascade, or names one."""
    return isinstance(scorer, Cascade) or (isinstance(scorer, str) and THEN in scorer)


def as_cascade(scorer: Any) -> Cascade:
    """The cascade that this is or names; anything else is one of a single stage."""
    if isinstance(scorer, Cascade):
        return scorer
    return Cascade.named(scorer) if is_cascade(scorer) else Cascade(Stage(scorer))


def _stage(given: Any) -> Stage:
    if isinstance(given, Stage):
        return given
    if isinstance(given, tuple):
        if len(given) != 2 or not isinstance(given[1], int):
            raise ConfigurationError(
                f'a stage is a scorer, or a scorer and a depth, ("onnx", 50), not {given!r}'
            )
        return Stage(*given)
    return Stage(given)


def _named(part: str) -> Stage:
    parted = _DEPTH.fullmatch(part)
    return Stage(parted[1], int(parted[2])) if parted else Stage(part)
