"""Rankings, hits and reports as HTML for a notebook: no script, no network, every text escaped.

A notebook's own theme, not the system's, says whether it is dark: see `notebook.css`. Where a
notebook drops styles (one that is not trusted, or on a code host), plain tables remain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from ..text.highlight import marked, snippet, terms
from .candidate import RAW, RETRIEVAL
from .plain import number, signals

if TYPE_CHECKING:
    from .ranking import RankedCandidate, Ranking
    from .report import Report

#: Hits shown, and characters of each; a longer text unfolds.
MOST, SNIPPET, LONGEST = 50, 300, 20_000

#: The colours of `notebook.css` that two signals have wherever they appear, and how many there are.
_COLOURS, _ALL_COLOURS = {"bm25": 2, RETRIEVAL: 1}, 6


def to_html(ranking: Ranking) -> str:
    """The hits with rank, movement, score, signals and text; the report where there is a need."""
    report = ranking.report
    badges = _degraded(report)
    if ranking.shadow:
        badges += '<span class="badge">shadow: not what was returned</span>'
    facts = [f"{len(ranking)} of {len(ranking.all)} documents", *_spent(report)]
    top = f'{badges}{_query(ranking.query)}<div class="soft">{" · ".join(map(escape, facts))}</div>'
    notes = "".join(f'<div class="soft">note: {escape(note)}</div>' for note in report.notes)
    return _framed(top, _hits(ranking.top, ranking.query, ranking.all), notes)


def hits_html(hits: Sequence[RankedCandidate]) -> str:
    """The hits as a table, as those of a ranking."""
    query = str(getattr(hits, "query", ""))
    top = f'{_query(query)}<div class="soft">{len(hits)} hits</div>'
    return _framed(top, _hits(hits, query, hits))


def hit_html(hit: RankedCandidate) -> str:
    """One hit in full: its fields, and its text."""
    facts = [
        ("rank", f"<b>{hit.rank}</b> {_moved(hit)}"),
        ("score", "not scored" if hit.score is None else f"{hit.score:.6g}"),
    ]
    if hit.estimate is not None:
        facts.append(("stands by an estimate of", f"{hit.estimate:.6g}"))
    if hit.dropped is not None:
        facts.append(("dropped", escape(hit.dropped)))
    for name, value in hit.components.items():
        facts.append((name, "none" if value is None else f"{value:.6g}"))
    if hit.id is not None:
        facts.append(("id", f'<span class="id">{escape(hit.id)}</span>'))
    facts += [(str(name), escape(str(value)[:SNIPPET])) for name, value in hit.metadata.items()]
    facts.append(("text", _text(hit.text, frozenset())))
    return _framed("", _facts(facts))


def report_html(report: Report) -> str:
    """What a report tells: how far it got, what went wrong, what it cost, stage by stage."""
    facts = [("coverage", report.covered), ("seconds", f"{report.seconds:.3f}")]
    facts += [(name, f"{value:,}") for name, value in _counts(report)]
    facts.append(("cost", "unknown" if report.cost is None else f"${report.cost:.6f}"))
    facts += [("note", escape(note)) for note in report.notes]
    stages = ""
    if len(report.stages) > 1:
        names = ("stage", "seen", "scored", "changed", "seconds", "calls", "cost", "why not all")
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        rows = "".join(
            f'<tr><th scope="row" class="id">{escape(stage.name)}</th>'
            + "".join(
                f"<td>{escape(told)}</td>"
                for told in (
                    "skipped" if stage.skipped else str(stage.seen),
                    str(stage.scored),
                    str(stage.changed),
                    f"{stage.seconds:.3f}",
                    str(stage.calls),
                    "unknown" if stage.cost is None else f"${stage.cost:.6f}",
                    ", ".join(stage.reasons),
                )
            )
            + "</tr>"
            for stage in report.stages
        )
        stages = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _framed(_degraded(report), _facts(facts) + stages)


def movement(ranks: int) -> str:
    """An arrow and a number: neither needs a colour to be understood."""
    if not ranks:
        return '<span class="move same" title="where the retriever had it">=</span>'
    arrow, word = ("▲", "up") if ranks > 0 else ("▼", "down")
    return (
        f'<span class="move {word}" title="{abs(ranks)} {word} from the retriever">'
        f"{arrow} {abs(ranks)}</span>"
    )


@cache
def _style() -> str:
    """The stylesheet, without its comments and blanks."""
    sheet = files(__package__).joinpath("notebook.css").read_text(encoding="utf-8")
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    return re.sub(r"\s*([{};])\s*", r"\1", re.sub(r"\s+", " ", sheet)).strip()


def _framed(top: str, content: str, beneath: str = "") -> str:
    above = f'<div class="top">{top}</div>' if top else ""
    below = f'<div class="beneath">{beneath}</div>' if beneath else ""
    return f'<div class="rerank"><style>{_style()}</style>{above}{content}{below}</div>'


def _query(query: str) -> str:
    return f'<div class="query">{escape(query)}</div>' if query else ""


def _degraded(report: Report) -> str:
    if not report.degraded:
        return ""
    reasons = escape(", ".join(report.reasons))
    return f'<div><span class="badge">⚠ degraded: {reasons}</span>{report.covered}</div>'


def _spent(report: Report) -> Iterator[str]:
    yield f"{report.seconds:.2f} s"
    if report.calls:
        yield f"{report.calls} calls"
    if report.cost:
        yield f"${report.cost:.4f}"


def _counts(report: Report) -> list[tuple[str, int]]:
    """What was counted and is not nothing."""
    told = {
        "calls": report.calls,
        "rounds of calls": report.rounds,
        "retries": report.retries,
        "hedged": report.hedged,
        "prompt tokens": report.prompt_tokens,
        "completion tokens": report.completion_tokens,
        "search units": report.search_units,
        "scores from the cache": report.cache_hits,
        "texts cut": report.truncated,
        "near-duplicates dropped": report.duplicates,
        "beyond max_per": report.beyond_max_per,
    }
    return [(name, value) for name, value in told.items() if value]


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    """A table of names and what is HTML already."""
    rows = "".join(
        f'<tr><th scope="row" class="fact">{escape(name)}</th><td>{told}</td></tr>'
        for name, told in facts
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _hits(shown: Sequence[RankedCandidate], query: str, every: Sequence[RankedCandidate]) -> str:
    """The legend, the table and how many more there are."""
    names = signals(every)
    scales = _scales(every, names)
    wanted = terms(query)
    rows = "".join(_row(hit, wanted, names, scales) for hit in shown[:MOST])
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("rank", "moved", "score by signal", "document")
    )
    more = f'<div class="soft">… {len(shown) - MOST} more</div>' if len(shown) > MOST else ""
    legend = f'<div class="legend soft">{_legend(names, scales)}</div>' if shown else ""
    return (
        f'{legend}<table class="hits"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>{more}"
    )


def _legend(names: Sequence[str], scales: dict[str, tuple[float, float]]) -> str:
    """Which colour is which signal, and from where to where its bar runs."""
    colours = {"score": "currentColor"} | _colours(names)
    return "".join(
        f'<span><span class="key" style="--c:{colour}"></span>{escape(name)}'
        f" {scales[name][0]:.3g} to {scales[name][1]:.3g}</span>"
        for name, colour in colours.items()
        if name in scales
    )


def _colours(names: Sequence[str]) -> dict[str, str]:
    """A signal's colour: its own where it has one, else the next that is free, by name."""
    free = [n for n in range(1, _ALL_COLOURS + 1) if n not in _COLOURS.values()]
    others = sorted(name for name in names if name not in _COLOURS)
    numbers = _COLOURS | {name: free[n % len(free)] for n, name in enumerate(others)}
    return {name: f"var(--s{numbers[name]})" for name in names}


def _row(
    hit: RankedCandidate,
    wanted: frozenset[str],
    names: Sequence[str],
    scales: dict[str, tuple[float, float]],
) -> str:
    bars = [_bar("score", hit.score, scales, "signal sum", None)]
    if hit.estimate is not None:
        placed = f"placed as if it had {number(hit.estimate)}"
        bars.append(f'<div class="signal soft"><span class="none">{placed}</span></div>')
    bars += [
        _bar(name, hit.components[name], scales, "signal", hit.components.get(name + RAW), colour)
        for name, colour in _colours(names).items()
        if name in hit.components
    ]
    title = "" if hit.id is None else f'<div class="id">{escape(hit.id)}</div>'
    dropped = f'<span class="badge">{escape(hit.dropped)}</span>' if hit.dropped else ""
    return (
        f'<tr><th scope="row" class="rank">{hit.rank}</th><td class="moved">{_moved(hit)}</td>'
        f'<td class="signals">{"".join(bars)}</td>'
        f'<td class="text">{dropped}{title}{_text(hit.text, wanted)}</td></tr>'
    )


def _moved(hit: RankedCandidate) -> str:
    was = f' <span class="was soft">was {hit.retrieved}</span>' if hit.movement else ""
    return movement(hit.movement) + was


def _bar(
    name: str,
    value: float | None,
    scales: dict[str, tuple[float, float]],
    css: str,
    raw: float | None,
    colour: str = "currentColor",
) -> str:
    label = f'<span class="name" title="{escape(name)}">{escape(name)}</span>'
    if value is None:
        return f'<div class="{css}">{label} <span class="none">not scored</span></div>'
    low, high = scales.get(name, (0.0, 1.0))
    width = 100 * (value - low) / (high - low) if high > low else 100.0
    was = "" if raw is None else f' title="{raw:.6g} as it came"'
    return (
        f'<div class="{css}" style="--c:{colour}"{was}>{label} '
        f'<span class="bar"><i style="width:{width:.0f}%"></i></span> '
        f'<span class="value">{number(value)}</span></div>'
    )


def _scales(
    hits: Sequence[RankedCandidate], names: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """From where to where each signal's bar runs: 0..1 where it fits, else what there is."""
    values: dict[str, list[float]] = {}
    for hit in hits:
        for name in ("score", *names):
            value = hit.score if name == "score" else hit.components.get(name)
            if value is not None:
                values.setdefault(name, []).append(value)
    return {
        name: (0.0, 1.0) if 0.2 < max(told) <= 1 and min(told) >= 0 else (min(0, *told), max(told))
        for name, told in values.items()
    }


def _text(text: str, wanted: frozenset[str]) -> str:
    short = marked(snippet(text, wanted, SNIPPET), wanted)
    if len(text) <= SNIPPET:
        return short
    cut = f" … {len(text) - LONGEST} characters more" if len(text) > LONGEST else ""
    return (
        f'<details><summary><span class="short">{short}</span> </summary>'
        f'<div class="whole">{marked(text[:LONGEST], wanted)}{cut}</div></details>'
    )
