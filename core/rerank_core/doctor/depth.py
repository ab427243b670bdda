"""Does it help to rerank so many? False hits from deep in the list (Jacob et al., "Drowning in
Documents", 2024: the more candidates a reranker scores, the likelier it is to love a wrong one).
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from .chance import LEVEL, surely_positive
from .evidence import Case, Evidence, key
from .finding import Cause, Finding, Severity
from .quality import as_ranked, as_retrieved, differences, down_to, ndcg

#: Depths that are compared with the whole list.
DEPTHS = (10, 20, 30, 50)
#: nDCG@10 that the whole depth must lose, and the share of the shallow gain that it must lose.
WORTH, SHARE = 0.03, 0.67
#: nDCG@10 that the shallow reranking must gain: else the scorer is weak at every depth.
GAIN = 0.01


def find(evidence: Evidence) -> Iterator[Finding]:
    """Reranking the first few helps, and reranking more of them loses most of that again."""
    if not evidence.judged:
        return
    deepest = max(len(case.hits) for case in evidence.judged)
    depths = [depth for depth in DEPTHS if depth <= 0.75 * deepest]
    if not depths:
        return
    full, retrieved = ndcg(evidence, as_ranked), ndcg(evidence, as_retrieved)
    base = fmean(retrieved)
    by_depth = {depth: ndcg(evidence, down_to(depth)) for depth in depths}
    best = max(by_depth, key=lambda depth: fmean(by_depth[depth]))
    gained, kept = fmean(by_depth[best]) - base, fmean(full) - base
    if gained < GAIN or gained - kept < max(WORTH, SHARE * gained):
        return
    if not surely_positive(differences(by_depth[best], full), LEVEL / len(depths)):
        return
    if surely_positive(differences(full, retrieved), 0.05):
        return  # noisy, but it helps
    curve = ", ".join(f"{fmean(values):.3f} at {depth}" for depth, values in by_depth.items())
    false = fmean(_false_hits(case, best) for case in evidence.judged)
    yield Finding(
        Cause.PHANTOM,
        Severity.HARMS,
        f"nDCG@10 is {base:.3f} without reranking, {curve}, {fmean(full):.3f} at {deepest} "
        f"candidates; {false:.1f} of the first ten are irrelevant documents retrieved below "
        f"rank {best}",
        "the scorer gives some irrelevant documents a high score, and the more it sees, the more "
        "of these come up",
        f"rerank the first {best} only, or combine with the retriever's score, which knows how "
        "far down they were; `rerank tune` chooses the depth",
    )


def _false_hits(case: Case, depth: int) -> int:
    return sum(h.retrieved > depth and key(h) not in case.relevant for h in case.hits[:10])
