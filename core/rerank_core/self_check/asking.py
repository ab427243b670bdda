"""Asks one scorer the plan's lists, by an engine of its own, and tells what is wrong with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from ..engine.batches import Scored
from ..engine.engine import Engine
from ..engine.rate_limit import RateLimit
from ..protocols import Scorer, Traits, traits_of
from ..runtime.deadline import Deadline
from ..runtime.usage import metered
from ..telemetry.chat_callbacks import unobserved
from ..telemetry.log import CHECKED, log
from . import detail, matching
from .answers import Answer, Answers
from .doubts import in_doubt
from .plan import LONGEST, Asked, in_parts, plan
from .report import CheckReport, Fault, Finding

#: Seconds that one list may take of a scorer that is asked over a network.
TIMEOUT = 60.0
#: Seconds of the processor, and of the clock, below which the first part leaves time for the second
#: in any case: chance that strikes one score in twenty is seen by how many are asked for. A model
#: takes longer, and leaves it out where the first part has settled what the second is for.
QUICK, SOON = 0.2, 0.5
#: The share of texts without a score that is a fault: of models that write their answers, which
#: leave one out now and then, and of any other.
FORGOTTEN, LOST = 0.15, 0.01


async def check_scorers(
    scorers: Mapping[str, Scorer], rate_limit: RateLimit | None = None
) -> CheckReport:
    """Ask each scorer, and say what is wrong with it, in the log too. On the background loop."""
    started = time.monotonic()
    findings: list[Finding] = []
    calls = 0
    with unobserved():
        for name, scorer in scorers.items():
            asked, found = await _check(name, scorer, rate_limit or RateLimit())
            calls = max(calls, asked)
            findings += found
    for finding in findings:
        log.warning(CHECKED, finding)
    return CheckReport(tuple(findings), tuple(scorers), calls, time.monotonic() - started)


async def _check(name: str, scorer: Scorer, rate_limit: RateLimit) -> tuple[int, list[Finding]]:
    traits = traits_of(scorer)
    # one call a list, whatever it likes best: it is short, and is to be seen as a whole
    whole = traits._replace(
        independent=False, batch_size=None, own_groups=None, adaptive_batches=False
    )
    engine = Engine(scorer, whole, traits.max_concurrency, rate_limit=rate_limit)
    lists = plan(_longest(scorer, traits))
    first, rest = in_parts(lists) if _claims_sameness(traits) else (lists, ())
    started, busy = time.monotonic(), time.process_time()
    found = await _ask(engine, first, traits)
    answers = _answers(first, found)
    quick = time.process_time() - busy < QUICK and time.monotonic() - started < SOON
    if rest and len(found) == len(first) and (quick or not answers.settled):
        found += await _ask(engine, rest, traits)
        first = [*first, *rest]
        answers = _answers(first, found)
    if len(found) == len(first) and not traits.ordinal:
        doubts = in_doubt(answers, _longest(scorer, traits))
        found += await _ask(engine, doubts, traits) if doubts else []
        answers = _answers([*first, *doubts], found)
    # by a division: what a service hands on, or a logit, may be low throughout
    mapped = any(
        raw is not None and score is not None and 0 <= score < raw
        for scored in found
        for raw, score in zip(scored.raw, scored.scores, strict=True)
    )
    told = _conclude(answers, found, traits, mapped=mapped)
    return len(found), [Finding(fault, name, seen, change) for fault, seen, change in told]


def _claims_sameness(traits: Traits) -> bool:
    """Whether it says that a score hangs on question and text alone, as models here do.

    A few pairs asked again refute that, or bear it out in every digit.
    """
    local = traits.default_timeout is None
    return local and traits.independent and traits.fingerprint is not None


def _answers(lists: Sequence[Asked], found: Sequence[Scored]) -> Answers:
    return Answers([Answer(a, scored.scores) for a, scored in zip(lists, found, strict=False)])


def _longest(scorer: Scorer, traits: Traits) -> int:
    """How many texts it takes at once."""
    size = traits.batch_size or getattr(getattr(scorer, "strategy", None), "group_size", None)
    return max(1, min(LONGEST, size or LONGEST))


async def _ask(engine: Engine, lists: Sequence[Asked], traits: Traits) -> list[Scored]:
    """All of them in turn; of a scorer that bears several calls, those between at once."""
    if traits.max_concurrency < 2:
        found = []
        for asked in lists:
            found.append(await _one(engine, asked, traits))
            if len(found) == 2 and not any(one.coverage for one in found):
                break  # it does not answer
        return found
    first = await _one(engine, lists[0], traits)
    if not first.coverage:
        return [first]
    middle = await asyncio.gather(*(_one(engine, asked, traits) for asked in lists[1:-1]))
    return [first, *middle, await _one(engine, lists[-1], traits)]


async def _one(engine: Engine, asked: Asked, traits: Traits) -> Scored:
    deadline = Deadline.after(None if traits.default_timeout is None else TIMEOUT)
    with metered() as meter:
        return await engine.score(asked.query, [text.text for text in asked.texts], deadline, meter)


def _conclude(
    answers: Answers, found: Sequence[Scored], traits: Traits, *, mapped: bool
) -> list[matching.Seen]:
    told = sum(len(answer.values) for answer in answers.all)
    texts = sum(len(answer.asked.texts) for answer in answers.all)
    errors = [error for scored in found for error in scored.errors]
    why = f": {errors[0]}" if errors else ""
    if not told:
        change = "see what the error says; check() again once it answers"
        return [(Fault.UNANSWERED, f"no list was scored at all{why}", change)]
    seen: list[matching.Seen] = []
    allowed = FORGOTTEN if traits.default_timeout is not None else LOST
    many = texts - told > allowed * texts or answers.unread
    if many and not (traits.ordinal and not errors):
        seen.append(
            (
                Fault.MISSING,
                f"{texts - told} of {texts} texts have no score, or one that is no finite "
                f"number{why}",
                "give every text a number; look at a raw reply, and at what divides by zero",
            )
        )
    if (broken := matching.find(answers)) is not None:
        return [*seen, broken]
    return [*seen, *detail.find(answers, traits, mapped=mapped)]
