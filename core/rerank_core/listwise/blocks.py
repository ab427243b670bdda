"""Overlapping blocks in one round (Dedov 2025, "JointRank: Rank Large Set with Single Pass")."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import lru_cache

from ..protocols import Judge
from .inquiry import Inquiry, completed
from .order import NoneRelevant, Order
from .pagerank import pagerank
from .parts import even_parts, part_count
from .plan import Plan, at_least


async def overlapping_blocks(
    query: str,
    texts: Sequence[str],
    judge: Judge,
    *,
    window: int = 20,
    replicas: int = 2,
    refine: bool = False,
    seed: int = 0,
) -> AsyncGenerator[Order, None]:
    """Order from blocks that are all judged at once; yields after every answer.

    Each text stands in `replicas` blocks of at most `window`: in one with its neighbours in the
    order given, in the others with as many new companions as there can be. Within a block each
    text that is named beats those named after it and those left out; PageRank over who lost to
    whom makes one order of it, with the order given as what is believed before any answer. The
    blocks nearest the top are sent first. The same seed gives the same blocks.

    It is approximate even with a perfect judge, as most pairs never meet (unless n <= window:
    one call, exact). Of the true top 10 it finds about nine at n = 100, and at n = 1,000 seven,
    or five where the retriever knows nothing. With `refine` a second round orders the best
    `window` once more: nearly all ten, and nine or seven.
    A block whose call fails is as if it had not been; of a block in which none is relevant, those
    whom no other block names stand last. Raises the first error if every call
    failed.

    For n > window: replicas * ceil(n / window) calls in 1 round; `refine` adds one to each.
    """
    _check(window, replicas)
    everything = range(len(texts))
    inquiry = Inquiry(query, texts, judge)
    if len(texts) < 2:
        yield inquiry.order(everything)
        return
    if len(texts) <= window:
        named = await inquiry.one(everything)
        if named is not None:
            yield inquiry.order(completed(named, everything))
        inquiry.close()
        return
    blocks = design(len(texts), window, replicas, seed)
    known: dict[int, tuple[list[int], list[int]]] = {}
    denied: set[int] = set()
    order = list(everything)
    async with aclosing(inquiry.many(blocks)) as arriving:
        async for answers in arriving:
            for number, named in answers.items():
                if isinstance(named, NoneRelevant):
                    denied.update(blocks[number])
                left_out = set(blocks[number]).difference(named)
                known[number] = named, sorted(left_out)
            # In the blocks' order, not the answers', so that rounding cannot tell arrivals apart.
            weights = pagerank(len(texts), [known[number] for number in sorted(known)])
            behind = denied.difference(*(named for named, _ in known.values()))
            order = sorted(everything, key=lambda p: (p in behind, -weights[p], p))
            yield inquiry.order(order)
    if refine and known:
        named = await inquiry.one(order[:window])
        if named is not None:
            yield inquiry.order(completed(named, order))
    inquiry.close()


def plan(
    count: int, *, window: int = 20, replicas: int = 2, refine: bool = False, seed: int = 0
) -> Plan:
    """Calls and rounds for `count` texts; raises InvalidInputError on sizes that cannot be."""
    _check(window, replicas)
    if count <= window:
        return Plan(int(count > 1), int(count > 1))
    return Plan(replicas * part_count(count, window) + refine, 1 + refine)


@lru_cache(maxsize=64)
def design(count: int, window: int, replicas: int, seed: int) -> tuple[tuple[int, ...], ...]:
    """Blocks of even size: each position in `replicas` of them, each pair together seldom.

    The first ceil(count / window) are neighbours in the order given. For the others each
    position, in random order, takes the block where the fewest of its old companions are: a
    greedy near-balanced design that works for every count, where Latin squares ask for squares.
    """
    chance = random.Random(f"{seed}/{count}/{window}/{replicas}")
    parts = even_parts(count, window)
    sizes = [len(part) for part in parts]
    blocks = [tuple(part) for part in parts]
    for _ in range(1, replicas):
        blocks += sorted(_spread(count, sizes, blocks, chance), key=sum)
    return tuple(blocks)


def _spread(
    count: int, sizes: list[int], former: list[tuple[int, ...]], chance: random.Random
) -> list[tuple[int, ...]]:
    met: list[list[tuple[int, ...]]] = [[] for _ in range(count)]
    for block in former:
        for position in block:
            met[position].append(block)
    part_of = [-1] * count
    room = list(sizes)
    for position in chance.sample(range(count), count):
        crowd = [0] * len(sizes)
        for block in met[position]:
            for companion in block:
                if part_of[companion] >= 0:
                    crowd[part_of[companion]] += 1
        free = (part for part in range(len(sizes)) if room[part])
        chosen = min(free, key=lambda part: (crowd[part], -room[part]))
        part_of[position] = chosen
        room[chosen] -= 1
    blocks: list[list[int]] = [[] for _ in sizes]
    for position, part in enumerate(part_of):
        blocks[part].append(position)
    return [tuple(block) for block in blocks]


def _check(window: int, replicas: int) -> None:
    at_least(2, window=window)
    at_least(1, replicas=replicas)
