"""What came of an evaluation, in a sentence or two: the first thing that its reader sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .pairs import Pair, pair_of
from .provenance import Provenance
from .run import called

#: Less than this between the base and the best order of its candidates is nothing to gain.
ROOM = 0.005


def no_room(reached: float, ceiling: float) -> bool:
    """Whether no order of the candidates is better than the base's by anything worth having."""
    return ceiling - reached < ROOM


def verdict(
    measure: str,
    means: Mapping[str, float],
    pairs: Sequence[Pair],
    own: Mapping[str, str],
    provenance: Provenance | None = None,
    *,
    idle: Mapping[str, str] | None = None,
    ceiling: float = 1.0,
) -> str:
    """Whether any system is better than the base, which stands first in `means`.

    `own`: systems by name that their own model judged, and which model that is. Nothing good is
    said of these. `idle`: of systems that change nothing, the sentence that says it. `ceiling`: the
    mean that the best order of the candidates has.
    """
    # what its own model judged is told of below, whatever it changes
    idle = {name: said for name, said in (idle or {}).items() if name not in own}
    if not means:
        unjudged = "Nothing is judged: which order is better cannot be said."
        return " ".join([unjudged, *idle.values()])
    moving = {name: mean for name, mean in means.items() if name not in idle}
    said = " ".join([*_sentences(measure, moving, pairs, own, ceiling), *idle.values()])
    if said and provenance is not None:
        said = f"By judgements of {provenance.names}, a language model: {said}"
    return said


def _sentences(
    measure: str,
    means: Mapping[str, float],
    pairs: Sequence[Pair],
    own: Mapping[str, str],
    ceiling: float,
) -> Iterator[str]:
    base, *systems = means
    against = {name: pair for name in systems if (pair := pair_of(pairs, base, name)) is not None}
    fair = [name for name in against if name not in own]
    better = [name for name in fair if _sign(against[name]) > 0]
    worse = [name for name in against if _sign(against[name]) < 0]
    best = max(better or fair, key=means.__getitem__, default=None)
    if best is not None and better:
        yield f"{best} helps: {_change(against[best], means, measure)}, more than chance."
        yield from _rivals(best, [name for name in fair if name != best], means, pairs)
    elif best is not None and best not in worse:
        than = called(base)
        said = f"{best} cannot be told from {than}"
        if len(fair) > 1:
            said = f"No system is better than {than} by more than chance; {best} comes nearest"
        yield f"{said}: {_change(against[best], means, measure)}."
    if systems and not better and no_room(means[base], max(ceiling, *means.values())):
        yield (
            f"There is nothing to gain on these queries: {called(base)} has {means[base]:.3f} of "
            f"the {ceiling:.3f} {measure} that the best order of these candidates has."
        )
    elif best is not None and not better and best not in worse:
        enough = against[best].comparison.difference.queries_to_tell
        if enough is not None and against[best].comparison.difference.queries < enough < 10_000:
            yield f"If the difference is real, about {enough} judged queries would show it."
    for name in worse:
        yield f"{name} is worse than {called(base)}: {_change(against[name], means, measure)}."
    for name in own:
        if name in against and name not in worse:
            yield (
                f"Whether {name} helps is not said: {own[name]} ranked for it and judged it. Have "
                "another model or a person judge."
            )


def _rivals(
    best: str, others: Sequence[str], means: Mapping[str, float], pairs: Sequence[Pair]
) -> Iterator[str]:
    if not others:
        return
    second = max(others, key=means.__getitem__)
    pair = pair_of(pairs, second, best) or pair_of(pairs, best, second)
    if pair is None:
        return
    if pair.comparison.significant:
        yield f"It is better than {second}, too, the next best, by more than chance."
    else:
        yield f"It cannot be told from {second}, the next best ({pair.comparison.told})."


def _sign(pair: Pair) -> int:
    mean = pair.comparison.difference.mean
    return 0 if not pair.comparison.significant or not mean else 1 if mean > 0 else -1


def _change(pair: Pair, means: Mapping[str, float], measure: str) -> str:
    difference = pair.comparison.difference
    queries = f", {difference.queries} queries" if difference.queries > 1 else ""
    return (
        f"{measure} {means[pair.first]:.3f} → {means[pair.second]:.3f} ({difference.mean:+.3f}, "
        f"{pair.comparison.told}{queries})"
    )
