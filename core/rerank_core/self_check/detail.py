"""The answer is found; is all well with the scores besides? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean, median

from ..combine.normalize import rank_correlation
from ..protocols import Traits
from . import relative
from .answers import GRADED, Answers, share, spread
from .matching import Seen, truncated, two_valued
from .plan import Kind, Purpose
from .report import Fault

#: Of the separation between answers and others: by how much a score may change with the list's
#: order or the other texts, for a scorer that says that it does not, and for any other.
DECLARED, ANY = 0.05, 0.2
#: How much of the separation the same list may differ by the next time: of scores that go in
#: steps, as a model's grades do at a temperature, of others, and where they may be cached.
GRADES, FINE, CACHED = 0.6, 0.2, 0.02
#: Scores with fewer levels than this go in steps.
LEVELS = 24
#: … and of a fine scale by how much a single score may differ, where the others are as they were.
STRUCK = 0.3
#: So few that are asked again tell only of the coarsest noise.
FEW = 4
#: A change all one way, and of no more than this factor between texts, or of one share of each
#: score, is a drift from this share of the separation on.
DRIFT, EVENLY, IN_SHARES = 0.01, 2.0, 1.1
#: How closely (rank correlation) scores must move with the places of their texts.
ALONG = 0.6
#: … and what text of no use may add to an answer, and take from it.
PADDED, BURIED = 0.25, 0.8
#: … and take from it where words weigh by their share of a text, and a beginning is all of it.
DILUTED = 0.5
#: What rounding adds at the end of a scale: the cosine of a text with itself is 1.0000001.
ROUNDED = 1 + 1e-5
#: The best of percentages is above the first, up to the second; from the third on surely one.
PERCENT = (50.0, 100.0 * ROUNDED, 99.0)
#: The best score where a scale was taken for one of ten times its size.
COMPRESSED = 0.11
#: sigmoid(1): the most that is left of 0..1 after another sigmoid.
_SIGMOID_1 = 0.7311 * ROUNDED
_LENGTH_FIX = (
    "use cosines or normalised vectors and not dot products, means over tokens and not sums; a "
    "text that says nothing should have the lowest score"
)


def find(answers: Answers, traits: Traits, *, mapped: bool) -> Iterator[Seen]:
    """What a ranking does not show at once. `mapped`: the scores were something else before."""
    if traits.ordinal:
        return  # ranks: their values say nothing, and equals keep the order that they came in
    if answers.distinct == 2:
        yield two_valued(answers)
        return
    if seen := _saturated(answers):
        yield seen
        return
    if seen := _late(answers) or _early(answers):
        yield seen
    # what changes from call to call, or with the order, leaves nothing to be said of the others
    unsteady = (
        _drift(answers) or _noise(answers, traits) or _order(answers, traits) or _length(answers)
    )
    if unsteady:
        yield unsteady
    elif traits.calibrated and (seen := _neighbours(answers, traits)):
        yield seen
    if traits.calibrated and (seen := _scale(answers, mapped=mapped)):
        yield seen


def _saturated(answers: Answers) -> Seen | None:
    tied, asked, apart = 0, 0, False
    for answer in answers.lists:
        near = [*answer.of(Kind.BESIDE), *answer.of(Kind.COPY)]
        if answer.own is None or not near:
            continue
        same = all(abs(answer.own - score) <= answers.same for score in near)
        asked += 1
        tied += same
        # a coarse scale may well have its best grade for the question itself too
        apart |= not same and bool(answer.of(Kind.BESIDE)) and answers.distinct <= GRADED
    top = answers.low >= 0.99 and answers.high <= ROUNDED
    if not answers.is_pairs and not apart and (asked >= 4 and tied >= 0.75 * asked):
        seen = (
            f"in {tied} of {asked} lists the passage that answers and one that only touches the "
            f"subject have one score"
        )
    elif top:
        seen = f"all scores are between {answers.low:.4f} and {answers.high:.4f}, noise among them"
    else:
        return None
    return (
        Fault.SATURATED,
        seen,
        "take the logit, or a sigmoid of a tenth of it; clip nothing: what is tied stays in the "
        "retriever's order",
    )


def _length(answers: Answers) -> Seen | None:
    added = [
        answer.of(Kind.PADDED)[0] - answer.own
        for answer in answers.lists
        if answer.own is not None and answer.of(Kind.PADDED)
    ]
    enough = max(answers.same, PADDED * answers.separation, 3 * answers.noise)
    if len(added) >= 2 and min(added) > enough:
        return (
            Fault.LENGTH,
            f"the passage that answers scores {fmean(added):.3g} higher once text of no use is "
            f"added to it, where answers and others are {answers.separation:.3g} apart",
            _LENGTH_FIX,
        )
    for kind, which in ((Kind.LONG, "long"), (Kind.EMPTYISH, "all but empty")):
        found = [
            share(answer.own, answer.of(kind), answers.same)
            for answer in answers.lists
            if answer.own is not None and answer.of(kind)
        ]
        if len(found) >= 4 and fmean(found) < 0.5:
            return (
                Fault.LENGTH,
                f"{which} texts that answer nothing score above the passage that answers in "
                f"{1 - fmean(found):.0%} of {len(found)} lists",
                _LENGTH_FIX,
            )
    return None


def _late(answers: Answers) -> Seen | None:
    blind = [a for a in answers.late if max(a.values) - min(a.values) <= answers.same]
    if len(blind) < 2 or len(blind) < len(answers.late):
        return None
    for answer in answers.lists:
        for score in answer.of(Kind.PADDED):
            if answer.own is not None and answer.off:
                lost = answer.own - score
                if lost > DILUTED * (answer.own - median(answer.off)):
                    return None  # too weak to see an answer among much else wherever it stands
    return truncated(blind)


def _early(answers: Answers) -> Seen | None:
    """An answer that something follows scores like what is none: the end alone is read."""
    padded = [
        (a.own, a.of(Kind.PADDED)[0], a.off)
        for a in answers.lists
        if a.own is not None and a.of(Kind.PADDED) and a.off
    ]
    lost = [
        score <= max(off)
        for own, score, off in padded
        if own - score > max(answers.same, BURIED * (own - median(off)))
    ]
    if len(padded) < 2 or len(lost) < len(padded) or sum(lost) < 0.5 * len(padded):
        return None
    return (
        Fault.TRUNCATED,
        f"in {len(lost)} lists the passage that answers scores like one that does not once other "
        "text follows it",
        "see which end of a text is cut (truncation_side of a tokenizer), and that the whole is "
        "read",
    )


def _drift(answers: Answers) -> Seen | None:
    again = [
        pairs
        for answer, pairs in zip(answers.by_purpose[Purpose.AGAIN], answers.repeats, strict=True)
        if answer.asked.texts == answers.lists[0].asked.texts
    ]
    last = again[-1] if again else []
    steps = [now - before for before, now in last]
    shares = [(now - before) / before for before, now in last if before]
    added = len(steps) >= FEW and _evenly(steps, EVENLY)
    multiplied = len(shares) >= FEW - 1 and _evenly(shares, IN_SHARES)
    if not (added or multiplied) or max(map(abs, steps)) < DRIFT * answers.separation:
        return None
    return (
        Fault.UNSTABLE,
        f"the same list, asked again later, has scores that all moved by about {fmean(steps):+.3g}",
        "something is carried over from call to call: a counter, a running mean, a history; score "
        "each call by itself",
    )


def _evenly(changes: Sequence[float], factor: float) -> bool:
    """Whether all go one way, and about as far."""
    one_way = all(c > 0 for c in changes) or all(c < 0 for c in changes)
    return one_way and max(map(abs, changes)) <= factor * min(map(abs, changes))


def _noise(answers: Answers, traits: Traits) -> Seen | None:
    remote = traits.default_timeout is not None
    allowed = GRADES if remote or answers.distinct < LEVELS else FINE
    if traits.fingerprint is not None and not remote:
        allowed = CACHED  # it says what its scores depend on, and chance is not among these
    elif len(answers.changes) < FEW:
        allowed = 1.0
    least = max(answers.same, allowed * answers.separation)
    if answers.noise <= least and not (allowed <= FINE and _struck(answers)):
        return None
    return (
        Fault.UNSTABLE,
        f"the same list, asked again, has scores that differ by {answers.noise:.3g}, where answers "
        f"and others are {answers.separation:.3g} apart",
        "set the temperature to 0, put the model into evaluation mode (no dropout), or take the "
        "mean of several passes",
    )


def _struck(answers: Answers) -> bool:
    """Whether single scores are far from what they were, where most are what they were."""
    changes = [abs(change) for change in answers.changes]
    most = max(changes, default=0.0)  # none where what was asked again has no score
    few = sum(change > 0.1 * most for change in changes) <= 0.5 * len(changes)
    return few and most > max(answers.same, STRUCK * answers.separation)


def _order(answers: Answers, traits: Traits) -> Seen | None:
    changes = [now - before for before, now in answers.same_pairs(Purpose.SHUFFLED)]
    if not _beyond(changes, answers, _allowed(answers, traits)):
        return None
    if not traits.independent and abs(rank_correlation(answers.moves())) < ALONG:
        return None  # it is chance, or what stands beside it
    return (
        Fault.POSITION,
        f"the same texts in another order have scores that differ by {spread(changes):.3g}, where "
        f"answers and others are {answers.separation:.3g} apart",
        "ask in shuffled order several times (passes=3), or score each text by itself",
    )


def _neighbours(answers: Answers, traits: Traits) -> Seen | None:
    pairs = list(answers.same_pairs(Purpose.WITHOUT, Purpose.ALONE))
    changes = [now - before for before, now in pairs]
    if traits.independent and _beyond(changes, answers, _allowed(answers, traits)):
        seen = (
            f"the same question and text have scores that differ by {spread(changes):.3g} in other "
            "company, though the scorer says that they do not depend on it (independent=True)"
        )
    elif how := relative.how(answers):
        seen = f"the scores are made relative to the list they stand in: {how}"
    else:
        return None
    return (
        Fault.NEIGHBOURS,
        seen,
        "give each text's own score, and leave it to combine= to normalise: else no threshold "
        "holds, batches cannot be compared, and the best of a useless list looks like an answer",
    )


def _allowed(answers: Answers, traits: Traits) -> float:
    """… a grade more or less is chance as long as nothing says that there is none."""
    coarse = answers.distinct < LEVELS and traits.fingerprint is None
    return DECLARED if traits.independent and not coarse else ANY


def _beyond(changes: Sequence[float], answers: Answers, share: float) -> bool:
    least = max(answers.same, share * answers.separation, 3 * answers.noise)
    return bool(changes) and spread(changes) > least


def _scale(answers: Answers, *, mapped: bool) -> Seen | None:
    copies = [score for answer in answers.lists for score in answer.of(Kind.COPY)]
    own = [answer.own for answer in answers.lists if answer.own is not None]
    low, high = answers.low, answers.high
    # cosines and probabilities reach far down or to the very top; BM25, MaxSim and products do not
    percent = PERCENT[0] < high <= PERCENT[1] and (0 <= low <= 0.5 * high or high >= PERCENT[2])
    if percent and not mapped:
        change = "divide by 100, or say scale=(0, 100) where the scorer is made"
        return Fault.SCALE, f"scores run from {low:.3g} to {high:.3g}, and not from 0 to 1", change
    if mapped and high <= COMPRESSED and low >= 0:
        return (
            Fault.SCALE,
            f"no score is above {high:.3g}, not even for the answer or the question itself",
            "say the scale that the scores are on where they come from: they were taken to be on "
            "one ten or a hundred times as wide",
        )
    tops = [*own, *copies]
    if 0.4999 <= low < 0.53 and fmean(tops) > 0.6 and high <= _SIGMOID_1:
        return (
            Fault.SCALE,
            f"all scores are between {low:.3f} and {high:.3f}: a sigmoid of what was on 0..1 "
            "already",
            'take the scores as they are (activation of a local model, scale="unit" of a service)',
        )
    return None
