"""Which texts go through a model on this machine together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: The most texts of a `guided` batch: few enough that the deadline loses little when it strikes.
_LARGEST_BATCH = 4
#: The most passes in one `growing` batch: a deadline keeps whole ones.
_PASSES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How many texts of like length are one pass.

    `most` of them, and no more `characters`, with padding, than that, but of the first `free`,
    however long they are. `padding`: what a pass costs besides its texts, in characters; where
    they would have more of it than that, they go apart.
    """

    most: int
    characters: int
    padding: int
    free: int = 1

    def first(self, lengths: Sequence[int]) -> int:
        """How many of the next texts, of so many characters and rising, are one: 1 at least.

        >>> few = Together(most=4, characters=1200, padding=150)
        >>> [few.first(some) for some in ([60, 65, 70, 150], [60, 65, 70, 110], [700, 700])]
        [3, 4, 1]
        """
        count = 1
        while (
            count < min(self.most, len(lengths))
            and (count < self.free or (count + 1) * lengths[count] <= self.characters)
            and count * (lengths[count] - lengths[count - 1]) <= self.padding
        ):
            count += 1
        return count


def guided(count: int, workers: int) -> list[Sequence[int]]:
    """Batches of so many texts for workers that take them one text at a time.

    Single texts at first, so that even a short deadline finds some scores, and at the end, so that
    all workers finish together; a few at once in between. The end is guided self-scheduling,
    Polychronopoulos and Kuck 1987.
    """
    batches: list[Sequence[int]] = []
    start = 0
    while start < count:
        share = min(start, count - start) // (2 * workers)
        size = max(1, min(share, _LARGEST_BATCH))
        batches.append(range(start, start + size))
        start += size
    return batches


def growing(count: int, size: int) -> list[Sequence[int]]:
    """Batches of one pass of so many texts, of two, and then of a few: a short deadline finds some
    scores, and longer ones lose little to padding, as texts are sorted by length within a batch.

    >>> [len(batch) for batch in growing(47, 5)]
    [5, 10, 20, 12]
    """
    batches: list[Sequence[int]] = []
    start, largest = 0, _PASSES * size
    while start < count:
        batches.append(range(start, min(start + size, count)))
        start, size = start + size, min(2 * size, largest)
    return batches
