"""Which cause explains which: what follows from another one is not named beside it."""

from __future__ import annotations

from collections.abc import Mapping

from .finding import Cause

#: What a scorer that does not do its work looks like, by judgements.
_BY_JUDGEMENTS = frozenset({Cause.WEIGHTS, Cause.PHANTOM, Cause.UNJUDGED})
#: A cause that explains others: these are not named beside it.
EXPLAINS: Mapping[Cause, frozenset[Cause]] = {
    Cause.UNREADABLE: _BY_JUDGEMENTS,
    Cause.UNANSWERED: _BY_JUDGEMENTS,
    Cause.IDLE: frozenset(Cause) - {Cause.IDLE, Cause.IDS, Cause.RECALL, Cause.NO_ROOM},
    Cause.NO_ROOM: frozenset({Cause.TOO_FEW}),
    Cause.EMPTY_TEXT: _BY_JUDGEMENTS | {Cause.TIED, Cause.QUERY, Cause.UNRELATED},
    Cause.IDS: _BY_JUDGEMENTS,
    Cause.SCALE: frozenset({Cause.WEIGHTS, Cause.UNJUDGED}),
    Cause.WRONG_WAY: _BY_JUDGEMENTS | {Cause.LENGTH},
    Cause.UNRELATED: frozenset({Cause.PHANTOM, Cause.UNJUDGED, Cause.UNSTABLE}),
    Cause.TRUNCATION: _BY_JUDGEMENTS | {Cause.UNRELATED},
    Cause.TIED: _BY_JUDGEMENTS,
    Cause.DEFAULTS: _BY_JUDGEMENTS,
    Cause.NEIGHBOURS: _BY_JUDGEMENTS | {Cause.TIED, Cause.DEFAULTS, Cause.POSITION},
    Cause.UNSTABLE: _BY_JUDGEMENTS,
    Cause.LENGTH: _BY_JUDGEMENTS | {Cause.UNRELATED},
    Cause.POSITION: _BY_JUDGEMENTS | {Cause.ECHO},
    Cause.UNJUDGED: frozenset({Cause.WEIGHTS, Cause.PHANTOM}),
}
