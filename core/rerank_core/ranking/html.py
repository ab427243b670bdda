"""A ranking as HTML for a notebook: no script, no network, every text escaped.

A notebook's own theme, not the system's, says whether it is dark. So nothing here has a colour of
its own: text is the notebook's, and all else is that colour, thinned.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ..text.highlight import marked, snippet, terms
from .candidate import RAW

if TYPE_CHECKING:
    from .ranking import RankedCandidate, Ranking

#: Hits shown, and characters of each; a longer text unfolds.
MOST, SNIPPET, LONGEST = 50, 300, 20_000

_STYLE = """
.rerank{font:14px/1.45 system-ui,sans-serif;color:inherit;max-width:70rem;overflow-wrap:anywhere}
.rerank table{border-collapse:collapse;width:100%;font-size:inherit;color:inherit}
.rerank caption{text-align:left;padding:0 0 .5em;caption-side:top;color:inherit}
.rerank th,.rerank td{text-align:left;vertical-align:top;padding:.5em .8em .5em 0;background:none;
border:0;border-top:1px solid color-mix(in srgb,currentColor 20%,transparent)}
.rerank thead th{border:0;font-weight:600;white-space:nowrap}
.rerank tbody tr{background:none}
.rerank .rank{white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}
.rerank .rank b{font-size:1.15em;margin-right:.5em}
.rerank .signals{width:13em;min-width:11em}
.rerank .signal{display:grid;grid-template-columns:1fr auto;gap:0 .6em;
font-variant-numeric:tabular-nums}
.rerank .signal.sum{font-weight:600}
.rerank .bar{grid-column:1/-1;height:5px;border-radius:3px;margin:1px 0 4px;overflow:hidden;
background:color-mix(in srgb,currentColor 15%,transparent)}
.rerank .bar i{display:block;height:100%;border-radius:3px;background:currentColor;opacity:.75}
.rerank .signal:not(.sum){opacity:.85;font-size:.92em}
.rerank mark{background:color-mix(in srgb,currentColor 16%,transparent);color:inherit;
font-weight:600;padding:0 .1em;border-radius:2px}
.rerank .badge{display:inline-block;border:1.5px solid;border-radius:1em;padding:0 .7em;
font-weight:600;margin-right:.4em}
.rerank small,.rerank .id{font-size:.88em;opacity:.8}
.rerank summary{cursor:pointer}
.rerank details[open]>summary>.short{display:none}
.rerank .whole{white-space:pre-wrap}
@media(max-width:600px){.rerank thead{position:absolute;clip-path:inset(50%)}
.rerank tr{display:grid;grid-template-columns:auto 1fr;column-gap:1em;padding:.3em 0}
.rerank th,.rerank td{padding:.3em 0}.rerank td.text{grid-column:1/-1;border:0}
.rerank .signals{width:auto}}
"""


def to_html(ranking: Ranking) -> str:
    """The hits with rank, movement, score, signals and text; the report where there is a need."""
    wanted = terms(ranking.query)
    shown = ranking.top[:MOST]
    scales = _scales(ranking.all)
    rows = "".join(_row(hit, wanted, scales) for hit in shown)
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("Rank, movement", "Score by signal", "Document")
    )
    return (
        f'<div class="rerank"><style>{_STYLE}</style><table><caption>{_caption(ranking)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{_rest(ranking)}</div>"
    )


def _caption(ranking: Ranking) -> str:
    report = ranking.report
    badges = ""
    if report.degraded:
        reasons = escape(", ".join(report.reasons))
        badges += (
            f'<span class="badge">⚠ degraded: {reasons}</span>{report.coverage:.0%} scored<br>'
        )
    if ranking.shadow:
        badges += '<span class="badge">shadow</span>'
    facts = [f"{len(ranking)} of {len(ranking.all)} documents", f"{report.seconds:.2f} s"]
    if report.calls:
        facts.append(f"{report.calls} calls")
    if report.cost:
        facts.append(f"${report.cost:.4f}")
    return f"{badges}<b>{escape(ranking.query)}</b><br><small>{' · '.join(facts)}</small>"


def _row(
    hit: RankedCandidate, wanted: frozenset[str], scales: dict[str, tuple[float, float]]
) -> str:
    bars = [_bar("score", hit.score, scales, "signal sum", None)]
    names = [name for name in hit.components if not name.endswith(RAW)]
    told = [name for name in names if len(names) > 1 or hit.components[name] != hit.score]
    bars += [
        _bar(name, hit.components[name], scales, "signal", hit.components.get(name + RAW))
        for name in told
    ]
    named = f'<span class="id">{escape(hit.id)}</span><br>' if hit.id is not None else ""
    return (
        f'<tr><th scope="row" class="rank"><b>{hit.rank}</b>{movement(hit.movement)}</th>'
        f'<td class="signals">{"".join(bars)}</td>'
        f'<td class="text">{named}{_text(hit.text, wanted)}</td></tr>'
    )


def movement(ranks: int) -> str:
    """An arrow and a number: neither needs a colour to be understood."""
    if not ranks:
        return '<span title="where the retriever had it">=</span>'
    arrow, word = ("▲", "up") if ranks > 0 else ("▼", "down")
    return f'<span title="{abs(ranks)} {word} from the retriever">{arrow}{abs(ranks)}</span>'


def _bar(
    name: str,
    value: float | None,
    scales: dict[str, tuple[float, float]],
    css: str,
    raw: float | None,
) -> str:
    if value is None:
        return f'<div class="{css}"><span>{escape(name)}</span><span>not scored</span></div>'
    low, high = scales.get(name, (0.0, 1.0))
    width = 100 * (value - low) / (high - low) if high > low else 100.0
    was = "" if raw is None else f' title="{raw:.6g} as it came"'
    return (
        f'<div class="{css}"{was}><span>{escape(name)}</span><span>{value:.3g}</span>'
        f'<span class="bar"><i style="width:{width:.0f}%"></i></span></div>'
    )


def _scales(hits: Sequence[RankedCandidate]) -> dict[str, tuple[float, float]]:
    """From where to where each signal's bar runs: 0..1 where it fits, else what there is."""
    values: dict[str, list[float]] = {}
    for hit in hits:
        for name, value in {**hit.components, "score": hit.score}.items():
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
        f'<details><summary><span class="short">{short}</span></summary>'
        f'<div class="whole">{marked(text[:LONGEST], wanted)}{cut}</div></details>'
    )


def _rest(ranking: Ranking) -> str:
    lines = []
    if len(ranking) > MOST:
        lines.append(f"… {len(ranking) - MOST} more")
    lines += [f"note: {note}" for note in ranking.report.notes]
    return "".join(f"<div><small>{escape(line)}</small></div>" for line in lines)
